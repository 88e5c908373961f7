/** Which certificates clients have to show at the listeners of a Gateway: `spec.tls.frontend`, as each controller reads it. */
import { optionalRecord, record, records, text, type Json } from './fields';
import type { GatewayController } from './gateway-api';
import type { Manifest } from './manifest';
import type { EnvoyGatewayBehavior, IstioBehavior } from './release-behavior';

export interface FrontendTls {
  /** Whether a client without a certificate is refused: not in mode AllowInsecureFallback. */
  readonly demands: boolean;
  /** The field of the Gateway that says so. */
  readonly field: string;
}

/** A reference to a CA, in the namespace that it is looked up in. */
export interface CaReference {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Validation {
  readonly spec: Json;
  readonly field: string;
}

/** The validation of a port: its own, which may be none, else the default (resolveGatewayTLS of conversion.go, ProcessGatewayTLS of listener.go). */
function validationAt(gateway: Json, port: number): Validation | undefined {
  const frontend = optionalRecord(record(gateway.tls).frontend);
  if (frontend === undefined) return undefined;
  const at = records(frontend.perPort).findIndex((one) => one.port === port);
  const [of, field] =
    at < 0
      ? [frontend.default, 'spec.tls.frontend.default']
      : [records(frontend.perPort)[at]?.tls, `spec.tls.frontend.perPort[${at}].tls`];
  const spec = optionalRecord(record(of).validation);
  return spec === undefined ? undefined : { spec, field: `${field}.validation` };
}

interface Asking {
  readonly gateway: Manifest;
  readonly controller: GatewayController;
  readonly istio: IstioBehavior;
  readonly envoyGateway: EnvoyGatewayBehavior;
}

/** What a listener asks of clients; undefined where it asks for no certificate, or where its controller does not read that. */
export function frontendTls(listener: Json, asking: Asking): FrontendTls | undefined {
  const found = applying(listener, asking);
  if (found === undefined) return undefined;
  const falls = text(found.spec.mode) === 'AllowInsecureFallback' && fallsBack(asking);
  return { demands: !falls, field: found.field };
}

/**
 * The CAs that a listener's clients are judged by.
 *
 * @param owner the Gateway, or the set that the listener is from: istiod looks in the namespace of that one, Envoy Gateway in that of the Gateway
 */
export function frontendCas(listener: Json, owner: Manifest, asking: Asking): readonly CaReference[] {
  const found = applying(listener, asking);
  const home = asking.controller === 'istio' ? owner : asking.gateway;
  return records(found?.spec.caCertificateRefs).map((reference) => ({
    group: text(reference.group),
    kind: text(reference.kind),
    namespace: text(reference.namespace) || home.namespace,
    name: text(reference.name),
  }));
}

function applying(listener: Json, { gateway, controller, envoyGateway }: Asking): Validation | undefined {
  const tls = optionalRecord(listener.tls);
  if (tls === undefined || tls.mode === 'Passthrough') return undefined;
  if (/^ISTIO_/.test(text(record(tls.options)['gateway.istio.io/tls-terminate-mode']))) return undefined;
  if (controller === 'envoy-gateway' && (!envoyGateway.readsFrontendTls || listener.protocol !== 'HTTPS'))
    return undefined;
  if (controller !== 'envoy-gateway' && controller !== 'istio') return undefined;
  const found = validationAt(record(record(gateway.body).spec), Number(listener.port));
  return found !== undefined && records(found.spec.caCertificateRefs).length > 0 ? found : undefined;
}

function fallsBack({ controller, istio }: Asking): boolean {
  return controller === 'envoy-gateway' || istio.readsInsecureFallback;
}
