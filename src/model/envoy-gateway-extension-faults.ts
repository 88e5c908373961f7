/**
 * What Envoy Gateway does not take in an EnvoyExtensionPolicy: 500 on every route that the policy is for, unless only code is amiss that may fail open; that
 * is left out then (translateEnvoyExtensionPolicyForRoute of internal/gatewayapi/envoyextensionpolicy.go). Whether code itself is valid, as Envoy Gateway asks of Lua, is not known here.
 */
import { backendProblem } from './envoy-gateway-references';
import { settingsOf } from './envoy-gateway-settings';
import { lacksData, type PolicyFault } from './envoy-gateway-traffic-faults';
import { secondsOf } from './envoy-gateway-values';
import { record, records, text, type Json } from './fields';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';

/** Code that a policy hands requests to, and why Envoy Gateway cannot have it so. */
export interface ForeignCode {
  /** Below `spec`: `extProc`, `wasm`, `lua` or `dynamicModule`. */
  readonly part: string;
  readonly failOpen: boolean;
  readonly fault: PolicyFault | undefined;
}

/** @param proxy spec of the EnvoyProxy */
export function foreignCode(policy: Manifest, spec: Json, proxy: Json, mesh: Mesh): readonly ForeignCode[] {
  const of = (part: string, why: (body: Json, field: string) => PolicyFault | undefined): readonly ForeignCode[] =>
    records(spec[part]).map((body, at) => ({
      part,
      failOpen: body.failOpen === true,
      fault: why(body, `${part}[${at}]`),
    }));
  return [
    ...of('wasm', wasmFault),
    ...of('extProc', (body, field) => processorFault(body, field, policy, mesh)),
    ...of('lua', (body, field) => luaFault(body, field, policy, mesh)),
    ...of('dynamicModule', (body, field) => moduleFault(body, field, proxy)),
  ];
}

/** What is amiss that makes the routes answer 500. */
export function extensionFault(code: readonly ForeignCode[]): PolicyFault | undefined {
  // One of a kind that may not fail open closes all of that kind.
  return code.find(({ part, failOpen, fault }) => fault !== undefined && (part === 'lua' || part === 'dynamicModule' || !failOpen))?.fault; // prettier-ignore
}

function processorFault(
  { backendRefs, messageTimeout }: Json,
  field: string,
  { kind, namespace: own }: Manifest,
  mesh: Mesh,
): PolicyFault | undefined {
  // prettier-ignore
  for (const [at, reference] of records(backendRefs).entries()) {
    const target = {
      kind: text(reference.kind) || 'Service',
      namespace: text(reference.namespace) || own,
      name: text(reference.name),
    };
    const problem = backendProblem(target, reference, { kind, namespace: own }, mesh);
    if (problem !== undefined) return { field: `${field}.backendRefs[${at}]`, what: problem.what, fix: problem.fix };
  }
  return messageTimeout !== undefined && secondsOf(text(messageTimeout)) === undefined
    ? { field: `${field}.messageTimeout`, what: `${field}.messageTimeout is no duration`, fix: 'write it as 10s' }
    : undefined;
}

function luaFault(
  { type, valueRef }: Json,
  field: string,
  { namespace }: Manifest,
  mesh: Mesh,
): PolicyFault | undefined {
  // prettier-ignore
  if (isLuaOff(mesh)) return { field, what: "Envoy Gateway's configuration does not let Lua be", fix: 'write extensionApis.enableLua: true in it' }; // prettier-ignore
  const name = text(record(valueRef).name);
  const lacking = type === 'ValueRef' && name !== '' ? lacksData(namespace, name, mesh) : undefined;
  return lacking === undefined ? undefined : { field: `${field}.valueRef`, what: `its code is in ${lacking}`, fix: `make ConfigMap ${namespace}/${name} with the key lua` }; // prettier-ignore
}

/** By LuaDisabled of api/v1alpha1/envoygateway_helpers.go. */
function isLuaOff(mesh: Mesh): boolean {
  return settingsOf(mesh).some(({ body }) => {
    const { enableLua, disableLua } = record(body.extensionApis);
    if (enableLua === true) return false;
    return typeof disableLua === 'boolean' ? disableLua : mesh.config.envoyGateway.wantsLuaEnabled;
  });
}

function wasmFault({ code }: Json, field: string): PolicyFault | undefined {
  const { type, http, image } = record(code);
  const lacking = type === 'HTTP' && http === undefined ? 'http' : type === 'Image' && image === undefined ? 'image' : undefined; // prettier-ignore
  return lacking === undefined ? undefined : { field: `${field}.code`, what: `${field}.code has no ${lacking}`, fix: `write ${field}.code.${lacking}` }; // prettier-ignore
}

function moduleFault({ name }: Json, field: string, { dynamicModules }: Json): PolicyFault | undefined {
  return records(dynamicModules).some((one) => one.name === name)
    ? undefined
    : { field: `${field}.name`, what: `no EnvoyProxy of the Gateway allows the module ${text(name)}`, fix: 'name it in dynamicModules of the EnvoyProxy' }; // prettier-ignore
}
