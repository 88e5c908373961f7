import { Duration } from 'cdk8s';
import { Problem, quote } from '../core/problem';
import { gatewayDuration } from './durations';
import type { envoyGateway } from './envoy-gateway-bindings';
import { IngressBackend } from './ingress-backend';

/** How an Envoy Gateway runs a module of WebAssembly. */
export interface EnvoyWasmOptions {
  /**
   * Its name, by which logs and statistics tell it from others.
   *
   * @default Envoy Gateway's own
   */
  readonly name?: string;

  /**
   * The one of several filters in the module.
   *
   * @default the only one
   */
  readonly rootId?: string;

  /**
   * Its SHA256 checksum, 64 characters in lower case, that Envoy Gateway verifies.
   *
   * @default not verified
   */
  readonly sha256?: string;

  /**
   * The Secret with which an image is pulled, in the namespace of the policy.
   *
   * @default pulled by anybody
   */
  readonly imagePullSecret?: string;

  /**
   * What the module is told.
   *
   * @default nothing
   */
  readonly config?: object;

  /**
   * Whether requests pass where the module fails or cannot be fetched.
   *
   * @default false: they are refused
   */
  readonly failOpen?: boolean;
}

/** How much of a body is sent to a processor. */
export enum ProcessedBody {
  /** Piece by piece, as it comes. */
  STREAMED = 'Streamed',
  /** All of it at once. What is longer than Envoy's buffer is answered with 413. */
  BUFFERED = 'Buffered',
  /** As much of it as Envoy's buffer holds. */
  BUFFERED_PARTIAL = 'BufferedPartial',
  /** Piece by piece in both directions, each at its own pace. */
  FULL_DUPLEX_STREAMED = 'FullDuplexStreamed',
}

/** What of a request or a response is sent to a processor. Its headers always are. */
export interface ProcessedPart {
  /**
   * How much of the body.
   *
   * @default nothing of it
   */
  readonly body?: ProcessedBody;

  /**
   * Attributes of Envoy's, such as "request.path", that go with it.
   *
   * @default none
   */
  readonly attributes?: string[];
}

/** What is sent to a service that processes requests, and what happens without it. */
export interface ExternalProcessorOptions {
  /**
   * What of requests is sent.
   *
   * @default headers and nothing else where neither `request` nor `response` is given, else nothing
   */
  readonly request?: ProcessedPart;

  /**
   * What of responses is sent.
   *
   * @default headers and nothing else where neither `request` nor `response` is given, else nothing
   */
  readonly response?: ProcessedPart;

  /**
   * How long one answer may take.
   *
   * @default Envoy's own: 200 milliseconds
   */
  readonly messageTimeout?: Duration;

  /**
   * Whether requests pass where it does not answer.
   *
   * @default false: they are refused
   */
  readonly failOpen?: boolean;
}

type Spec = Pick<envoyGateway.EnvoyExtensionPolicySpec, 'lua' | 'wasm' | 'extProc'>;

/**
 * What an Envoy Gateway runs on requests: Lua, a module of WebAssembly, or a service that is asked.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/extensibility/
 */
export class EnvoyExtension {
  /**
   * A script of Lua, with `envoy_on_request` or `envoy_on_response`.
   *
   * @param code the script
   */
  public static lua(code: string): EnvoyExtension {
    const problems: Problem[] =
      code.trim() === ''
        ? [{ what: 'a script without a word', why: 'the API server refuses it', fix: 'write what is to run' }]
        : [];
    return new EnvoyExtension(() => ({ lua: [{ type: 'Inline' as LuaType, inline: code }] }), problems);
  }

  /**
   * A script of Lua that a ConfigMap in the policy's namespace has, under the key `lua`, or as its only value.
   *
   * @param configMapName the name of the ConfigMap
   */
  public static luaFrom(configMapName: string): EnvoyExtension {
    const valueRef = { group: '', kind: 'ConfigMap', name: configMapName };
    return new EnvoyExtension(() => ({ lua: [{ type: 'ValueRef' as LuaType, valueRef }] }), []);
  }

  /**
   * A module of WebAssembly in an OCI image.
   *
   * @param image where it is, such as "registry.example.com/filter:1.0"
   * @param options how it runs
   */
  public static wasmImage(image: string, options: EnvoyWasmOptions = {}): EnvoyExtension {
    const pullSecretRef = options.imagePullSecret === undefined ? undefined : { name: options.imagePullSecret };
    const code = { type: 'Image', image: { url: image, sha256: options.sha256, pullSecretRef } };
    return new EnvoyExtension(() => ({ wasm: [wasmSpec(code, options)] }), wasmProblems(image, options));
  }

  /**
   * A module of WebAssembly that is downloaded.
   *
   * @param url where it is, such as "https://example.com/filter.wasm"
   * @param options how it runs
   */
  public static wasmFile(url: string, options: EnvoyWasmOptions = {}): EnvoyExtension {
    const code = { type: 'HTTP', http: { url, sha256: options.sha256 } };
    const problems = wasmProblems(url, options);
    if (!/^https?:\/\//.test(url))
      problems.push({
        what: `a module at ${quote(url)}`,
        why: 'a module is downloaded by http or https',
        fix: 'write the whole URL, or use EnvoyExtension.wasmImage for one in a registry',
      });
    return new EnvoyExtension(() => ({ wasm: [wasmSpec(code, options)] }), problems);
  }

  /**
   * A service that is asked about each request, by Envoy's protocol for external processing over gRPC. In another namespace it takes a ReferenceGrant, which is rendered too.
   *
   * @param service who is asked
   * @param options what is sent
   */
  public static externalProcessor(service: IngressBackend, options: ExternalProcessorOptions = {}): EnvoyExtension {
    const { request, response } = options;
    const processor = (namespace: string): envoyGateway.EnvoyExtensionPolicySpecExtProc => ({
      backendRefs: [service._ref(namespace)],
      processingMode: request || response ? ({ request: partSpec(request), response: partSpec(response) } as ProcessingMode) : undefined, // prettier-ignore
      messageTimeout: gatewayDuration(options.messageTimeout),
      failOpen: options.failOpen,
    });
    return new EnvoyExtension((namespace) => ({ extProc: [processor(namespace)] }), service._problems(), service);
  }

  private constructor(
    private readonly spec: (namespace: string) => Spec,
    private readonly problems: readonly Problem[],
    /** @internal */
    public readonly _service?: IngressBackend,
  ) {}

  /** @internal */
  public _spec(namespace: string): Spec {
    return this.spec(namespace);
  }

  /** @internal */
  public _problems(): readonly Problem[] {
    return this.problems;
  }
}

type LuaType = envoyGateway.EnvoyExtensionPolicySpecLuaType;
type ProcessingMode = envoyGateway.EnvoyExtensionPolicySpecExtProcProcessingMode;

function partSpec(part: ProcessedPart | undefined): object | undefined {
  return part && { body: part.body, attributes: part.attributes };
}

function wasmSpec(code: object, options: EnvoyWasmOptions): envoyGateway.EnvoyExtensionPolicySpecWasm {
  const { name, rootId, config, failOpen } = options;
  return { name, rootId, code: code as envoyGateway.EnvoyExtensionPolicySpecWasmCode, config, failOpen };
}

function wasmProblems(url: string, { sha256 }: EnvoyWasmOptions): Problem[] {
  const problems: Problem[] = [];
  if (url === '' || /\s/.test(url))
    problems.push({ what: `a module at ${quote(url)}`, why: 'nothing is there', fix: 'write where it is' });
  if (sha256 !== undefined && !/^[a-f0-9]{64}$/.test(sha256))
    problems.push({
      what: `\`sha256\` is ${quote(sha256)}`,
      why: 'the API server refuses it: a checksum has 64 characters, of 0 to 9 and a to f',
      fix: 'write what sha256sum says of the module',
    });
  return problems;
}
