/** Redirects that lead a client in a circle further on than the first request. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const world = (...http: readonly string[]): string => `
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: public, namespace: edge}, spec: {selector: {istio: ingress}, servers: [{hosts: ['*'], port: {number: 80, name: http, protocol: HTTP}}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: web, namespace: edge}, spec: {hosts: [www.example.com], gateways: [public], http: [${http.join(', ')}]}}
`;
const circles = (...http: readonly string[]): readonly string[] =>
  check(loadText(world(...http)), {})
    .findings.filter(({ id }) => id === 'EDGE325')
    .map(({ field, what }) => `${field} ${what}`);

it('finds a prefix that its own redirect has', () =>
  expect(circles('{match: [{uri: {prefix: /old}}], redirect: {uri: /old/}}')).toEqual([
    'spec.http[0].match[0] http://www.example.com/old/ at edge/public is redirected to itself (301)',
  ]));

it('tells of a circle at the rule where it begins, once', () =>
  expect(
    circles(
      '{match: [{uri: {exact: /a}}], redirect: {uri: /b}}',
      '{match: [{uri: {prefix: /b}}], redirect: {uri: /b/x}}',
    ),
  ).toEqual(['spec.http[1].match[0] http://www.example.com/b/x at edge/public is redirected to itself (301)']));

it('lets redirects be that end', () =>
  expect(circles('{match: [{uri: {exact: /old}}], redirect: {uri: /old/}}')).toEqual([]));
