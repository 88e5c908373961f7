/** EDGE841 of ListenerSets, of a kind that the lab's Gateway API does not serve. */
import { judge } from './judged';

const mesh = (from: string): string => `
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: edge}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: public, namespace: edge}, spec: {gatewayClassName: eg, allowedListeners: {namespaces: {from: ${from}}}, listeners: [{name: http, port: 80, protocol: HTTP, hostname: www.example.com}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {name: shop, namespace: shop}, spec: {parentRef: {name: public, namespace: edge}, listeners: [{name: http, port: 80, protocol: HTTP, hostname: shop.example.com}]}}
`;

it.each([
  ['Same', ['error ListenerSet shop/shop spec.parentRef']],
  ['All', []],
])('a set of another namespace, where the Gateway admits those of %s', (from, expected) => {
  const told = judge(mesh(from)).filter(({ id }) => id === 'EDGE841');
  expect(told.map(({ severity, object, field }) => `${severity} ${object?.kind} ${object?.namespace}/${object?.name} ${field}`)).toEqual(expected); // prettier-ignore
});
