/** What Envoy Gateway does not accept of its own Backends, as data: words are made of it last. */
import { isAddress } from './addresses';
import { record, records, text, type Json } from './fields';

export type BackendProblem =
  | { readonly is: 'names-and-addresses' }
  | { readonly is: 'name-without-dot'; readonly name: string }
  | { readonly is: 'address-as-name'; readonly name: string }
  /** An address by which the proxy reaches itself. */
  | { readonly is: 'loopback'; readonly address: string }
  /** A client certificate of another namespace than the Backend's, `own`. */
  | { readonly is: 'foreign-certificate'; readonly secret: string; readonly own: string };

export function backendProblem(spec: Json, namespace: string): BackendProblem | undefined {
  return endpointProblem(spec) ?? certificateProblem(record(spec.tls), namespace);
}

/** What is wrong with the endpoints, by which the whole Backend is refused. */
export function endpointProblem({ endpoints }: Json): BackendProblem | undefined {
  const all = records(endpoints);
  return mixedAddresses(all) ?? addressProblem(all);
}

/** Names and addresses in one Backend (mixed address types, processBackendDestinationSetting of internal/gatewayapi/route.go). */
function mixedAddresses(endpoints: readonly Json[]): BackendProblem | undefined {
  const named = endpoints.filter(({ fqdn }) => fqdn !== undefined).length;
  return named === 0 || named === endpoints.length ? undefined : { is: 'names-and-addresses' };
}

/** validateHostname and validateIP of internal/gatewayapi/backend.go: one bad endpoint is enough. */
function addressProblem(endpoints: readonly Json[]): BackendProblem | undefined {
  for (const endpoint of endpoints) {
    const names = [text(endpoint.hostname), text(record(endpoint.fqdn).hostname)].filter((name) => name !== '');
    const single = names.find((name) => !name.includes('.'));
    if (single !== undefined) return { is: 'name-without-dot', name: single };
    const numeric = names.find((name) => isAddress(name));
    if (numeric !== undefined) return { is: 'address-as-name', name: numeric };
    const address = text(record(endpoint.ip).address);
    if (address !== '' && (/^127\./.test(address) || /^(0*:)+0*1$/.test(address))) return { is: 'loopback', address };
  }
  return undefined;
}

function certificateProblem({ clientCertificateRef }: Json, own: string): BackendProblem | undefined {
  const { namespace, name } = record(clientCertificateRef);
  if (text(namespace) === '' || namespace === own) return undefined;
  return { is: 'foreign-certificate', secret: `${text(namespace)}/${text(name)}`, own };
}
