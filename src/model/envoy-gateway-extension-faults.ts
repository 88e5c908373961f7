/**
 * What Envoy Gateway does not take in an EnvoyExtensionPolicy: 500 on every route that the policy is for, unless only code is amiss that may fail open; that
 * is left out then (translateEnvoyExtensionPolicyForRoute of internal/gatewayapi/envoyextensionpolicy.go). Whether code itself is valid, as Envoy Gateway asks of Lua, is not known here.
 */
import { backendProblem, referredTo } from './envoy-gateway-references';
import { settingsOf } from './envoy-gateway-settings';
import { secondsOf } from './envoy-gateway-values';
import { record, records, text, type Json } from './fields';
import { lacksData } from './lacking-data';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';
import type { PolicyFault } from './policy-problems';

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
    const backend = backendProblem(referredTo(reference, own), reference, { kind, namespace: own }, mesh);
    if (backend !== undefined)
      return { field: `${field}.backendRefs[${at}]`, problem: { is: 'processor-not-usable', backend } };
  }
  const path = `${field}.messageTimeout`;
  return messageTimeout !== undefined && secondsOf(text(messageTimeout)) === undefined
    ? { field: path, problem: { is: 'processor-timeout', path } }
    : undefined;
}

function luaFault(
  { type, valueRef }: Json,
  field: string,
  { namespace }: Manifest,
  mesh: Mesh,
): PolicyFault | undefined {
  // prettier-ignore
  if (isLuaOff(mesh)) return { field, problem: { is: 'lua-off' } };
  const name = text(record(valueRef).name);
  const lacking = type === 'ValueRef' && name !== '' ? lacksData(namespace, name, mesh) : undefined;
  return lacking === undefined ? undefined : { field: `${field}.valueRef`, problem: { is: 'code-missing', lacking } };
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
  return lacking === undefined ? undefined : { field: `${field}.code`, problem: { is: 'code-not-written', path: `${field}.code`, part: lacking } }; // prettier-ignore
}

function moduleFault({ name }: Json, field: string, { dynamicModules }: Json): PolicyFault | undefined {
  return records(dynamicModules).some((one) => one.name === name)
    ? undefined
    : { field: `${field}.name`, problem: { is: 'module-not-allowed', module: text(name) } };
}
