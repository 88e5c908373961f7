/** Routes of a host that let only some requests through are no errors for what they leave out. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const mesh = (match: string, destination = 'api.example.com'): string => `
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: shop}, spec: {hosts: [api.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS, location: MESH_EXTERNAL}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: api, namespace: shop}, spec: {hosts: [api.example.com], http: [{match: [${match}], route: [{destination: {host: ${destination}}}]}]}}
`;
const found = (yaml: string): readonly string[] =>
  check(loadText(yaml), {}).findings.map(({ id, severity }) => `${id} ${severity}`);

describe('a host with routes for some requests alone', () => {
  it.each(['{uri: {prefix: /v1/}}', '{method: {exact: POST}}', '{headers: {x-tier: {exact: gold}}}', '{uri: {regex: "/v[12]/.*"}}'])(
    'has a warning for the others: %s',
    (match) => {
      expect(found(mesh(match))).toEqual(['EDGE299 warning']);
    },
  ); // prettier-ignore

  it('has an error where what the routes let through does not arrive', () => {
    expect(found(mesh('{uri: {prefix: /v1/}}', 'gone.example.com'))).toContain('EDGE211 error');
  });
});
