import fc from 'fast-check';
import { configured } from './trace/oracle/config';
import { meshes } from './trace/oracle/meshes';
import { gatewayApiMeshes } from './trace/oracle/gateway-api';
import { findOracle, Oracle } from './trace/oracle/process';
(async () => {
  const [seed, at, proxy, grep, api] = process.argv.slice(2);
  const o = new Oracle(findOracle()!);
  const s = fc.sample((api ? gatewayApiMeshes : meshes)(1), { numRuns: Number(process.env.N ?? 100), seed: Number(seed) * 100000 });
  const f: any = await configured(o, s[Number(at)]!);
  const p = f.proxies.find((x: any) => x.name === proxy);
  for (const r of p.sent.routes) for (const h of r.virtual_hosts ?? []) if (JSON.stringify(h.domains).includes(grep!)) console.log(r.name, r.ignore_port_in_host_matching, JSON.stringify(h).slice(0, 900));
  for (const m of f.mesh.manifests) if (JSON.stringify(m.body).includes(grep!)) console.log(JSON.stringify(m.body));
  console.log(f.mesh.manifests.find((m: any) => m.kind === 'Pod' && m.namespace + '/' + m.name === proxy)?.body.status);
  o.end();
})();
