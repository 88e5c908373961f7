/**
 * Draws the pictures of the scenarios' READMEs: the path of a request, as `mesh-edge trace` finds it in the committed manifests.
 *
 *     npm run pictures        then npm run synth, which puts them into the READMEs
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from '../src/model/load';
import { buildMesh } from '../src/model/mesh';
import { traceMermaid } from '../src/report/trace-mermaid';
import { trace } from '../src/trace';
import type { TraceRequest } from '../src/trace/types';

const ROOT = join(__dirname, '..');

interface Picture {
  /** The scenario whose README it is in. */
  readonly scenario: string;
  /** What it shows, as a heading. */
  readonly title: string;
  /** The scenarios whose manifests it is drawn from. */
  readonly from: readonly string[];
  readonly request: TraceRequest;
}

const MESH = ['istio-minimal', 'demo-httpbin', 'strict-mutual-tls'];
const throughEnvoyGateway = (scenario: string, title: string, url: string): Picture => ({
  scenario,
  title,
  from: [...MESH, 'envoy-gateway-in-mesh', scenario],
  request: { request: url, from: 'outside', at: 'httpbin/apps' },
});
const throughIstio = (title: string, at: string): Picture => ({
  scenario: 'istio-ingress-path',
  title,
  from: [...MESH, 'istio-ingress-path'],
  request: { request: 'http://www.example.com/httpbin/get', from: 'outside', at },
});

const egress = (scenario: string, title: string, url: string): Picture => ({
  scenario,
  title,
  from: ['egress-gateway-install', scenario],
  request: { request: url, from: 'default' },
});

export const PICTURES: readonly Picture[] = [
  egress('sidecar-http', 'HTTP', 'http://www.aliyun.com/'),
  egress('sidecar-http', 'HTTPS, which is not registered', 'https://www.aliyun.com/'),
  egress('sidecar-http-https', 'HTTPS made by the application', 'https://www.aliyun.com/'),
  egress('sidecar-tls-origination', 'Plain HTTP, made TLS by the sidecar', 'http://www.aliyun.com/'),
  egress('gateway-http', 'HTTP through the gateway', 'http://edition.cnn.com/'),
  egress('gateway-tls-passthrough', 'TLS of the application through the gateway', 'https://edition.cnn.com/'),
  egress('gateway-tls-origination', 'Plain HTTP, made TLS by the gateway', 'http://edition.cnn.com/'),
  egress('external-https-proxy-transparent', 'TLS that the sidecar tunnels', 'https://en.wikipedia.org/'),
  egress('external-https-proxy-transparent', 'TLS that the gateway tunnels', 'https://edition.cnn.com/'),
  throughEnvoyGateway('apps-gateway-http', 'HTTP, under STRICT', 'http://www.example.com/httpbin/get'),
  throughEnvoyGateway('apps-gateway-https', 'HTTPS, under STRICT', 'https://www.example.com/httpbin/get'),
  throughIstio('By Gateway API', 'httpbin/apps-istio'),
  throughIstio("By Istio's Gateway and VirtualService", 'httpbin/apps-classic'),
];

/** The picture in Mermaid's language, drawn from the manifests that are committed now. */
export function draw({ from, request }: Picture): string {
  const { manifests } = load(from.map((scenario) => join(ROOT, 'dist', scenario)));
  const mesh = buildMesh(manifests, { outbound: 'REGISTRY_ONLY' });
  return traceMermaid(trace(mesh, request), request).trimEnd();
}

/** The source that holds all pictures, by scenario. */
export function picturesSource(): string {
  const ids = [...new Set(PICTURES.map(({ scenario }) => scenario))];
  const entries = ids.map((id) => {
    const own = PICTURES.filter(({ scenario }) => scenario === id);
    const items = own.map((picture) => {
      const text = draw(picture).replace(/[`\\]|\$\{/g, '\\$&');
      return `    { title: ${JSON.stringify(picture.title)}, mermaid: \`${text}\` },\n`;
    });
    return `  ${JSON.stringify(id)}: [\n${items.join('')}  ],\n`;
  });
  return [
    '// Written by `npm run pictures` from dist/; edits here are lost.',
    '',
    '/** The path of a request through a scenario, in the language of Mermaid. */',
    'export interface Picture {',
    '  readonly title: string;',
    '  readonly mermaid: string;',
    '}',
    '',
    '/** Pictures by scenario. */',
    'export const PICTURES: Readonly<Record<string, readonly Picture[]>> = {',
    `${entries.join('')}};`,
    '',
  ].join('\n');
}

if (require.main === module) writeFileSync(join(ROOT, 'src', 'scenarios', 'pictures.ts'), picturesSource());
