import fc from 'fast-check';
import { configured } from './trace/oracle/config';
import { meshes } from './trace/oracle/meshes';
import { findOracle, Oracle } from './trace/oracle/process';
import { expectedOf } from '../src/verify/expected';
(async () => {
  const [seed, at, proxy, route, kinds] = process.argv.slice(2);
  const o = new Oracle(findOracle()!);
  const s = fc.sample(meshes(1), { numRuns: Number(process.env.N ?? 100), seed: Number(seed) * 100000 });
  const f: any = await configured(o, s[Number(at)]!);
  const p = f.proxies.find((x: any) => x.name === proxy);
  for (const r of p.sent.routes) if (r.name === route) for (const h of r.virtual_hosts ?? []) console.log('T', h.name, h.domains.join(' '), h.routes?.map((x: any) => JSON.stringify(x.match) + x.route?.cluster).join(' ; '));
  const e = expectedOf(f.mesh, p.running).routes(route!);
  for (const h of e.hosts()) console.log('O', h.name, h.domains.join(' '), h.routes.map((x) => JSON.stringify(x.match?.uri) + x.clusters.map((c) => c.cluster)).join(' ; '));
  for (const m of f.mesh.manifests) if (kinds!.split(',').includes(m.kind)) console.log(JSON.stringify(m.body));
  o.end();
})();
