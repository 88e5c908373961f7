import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import type { IngressListener } from './ingress-listener';
import { ListenerCertificate } from './listener-certificate';
import { GrantedReference, grantReferences } from './reference-grants';

/**
 * Whose listeners show certificates: a Gateway, or a ListenerSet.
 *
 * @internal
 */
export interface ListenerOwner extends Construct {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/**
 * Renders the Certificates that listeners ask cert-manager for.
 *
 * @internal
 */
export function renderCertificates(owner: ListenerOwner, listeners: readonly IngressListener[]): void {
  for (const listener of listeners)
    for (const certificate of listener._certificates) renderCertificate(owner, certificate, listener);
}

function renderCertificate(owner: ListenerOwner, certificate: ListenerCertificate, listener: IngressListener): void {
  if (!certificate.issuer || certificate._isAnnotated) return;
  const id = `Certificate-${certificate.secretName}`;
  if (owner.node.tryFindChild(id)) return;
  const { kind, name } = certificate.issuer;
  new ApiObject(owner, id, {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: certificate.secretName, namespace: owner.namespace },
    spec: {
      secretName: certificate.secretName,
      dnsNames: certificate._dnsNames(listener.hostname),
      issuerRef: { group: 'cert-manager.io', kind, name },
    },
  });
}

/**
 * Renders the ReferenceGrants for certificates, and CAs of clients, that lie in other namespaces.
 *
 * @param scope the construct below which they are put
 * @param name what their names derive from
 * @internal
 */
export function grantCertificates(
  scope: Construct,
  name: string,
  owner: ListenerOwner,
  listeners: readonly IngressListener[],
  others: ReadonlyArray<{ readonly kind: string; readonly name: string; readonly namespace?: string }> = [],
): void {
  const from = { fromGroup: 'gateway.networking.k8s.io', fromKind: owner.kind, fromNamespace: owner.namespace };
  const certificates = listeners
    .flatMap((listener) => listener._certificates)
    .filter((certificate) => !certificate._isGrantedElsewhere)
    .map(({ secretName, namespace }) => ({ kind: 'Secret', name: secretName, namespace }));
  const references = [...certificates, ...others].map((to): GrantedReference => ({
    ...from,
    toGroup: '',
    toKind: to.kind,
    toNamespace: to.namespace ?? owner.namespace,
    toName: to.name,
  }));
  grantReferences(scope, name, references);
}
