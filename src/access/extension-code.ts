import type * as extensions from '../../imports/extensions.istio.io';
import { Problem, quote } from '../core/problem';

/** A module of WebAssembly, and how proxies get and run it. */
export interface WasmCode {
  /** Where it is: `oci://registry/image:tag`, `https://...`, or `file://...` in the proxy's container. Without a scheme, an OCI image. */
  readonly url: string;

  /**
   * Its SHA256 checksum, 64 characters in lower case, that proxies verify.
   *
   * @default not verified
   */
  readonly sha256?: string;

  /**
   * The Secret with which the image is pulled, in the namespace of the extension.
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

  /**
   * Whether it reads connections of TCP, and not requests of HTTP.
   *
   * @default false
   */
  readonly readsTcp?: boolean;
}

const SCHEMES = ['oci', 'http', 'https', 'file'];
const LONGEST_LUA = 65_536;

/**
 * What a proxy runs on traffic: Lua that is written inline, or a module of WebAssembly.
 *
 * @see https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/
 */
export class ExtensionCode {
  /**
   * A script of Lua, with `envoy_on_request` or `envoy_on_response`. It reads HTTP alone.
   *
   * @param code the script, of at most 65,536 characters
   */
  public static lua(code: string): ExtensionCode {
    const length = [...code].length;
    const problems =
      code.trim() === '' || length > LONGEST_LUA
        ? [
            {
              what: `a script of ${length} characters`,
              why: `an API server takes from 1 to ${LONGEST_LUA}`,
              fix: 'write what is to run; for more than that, use ExtensionCode.wasm',
            },
          ]
        : [];
    return new ExtensionCode({ lua: { inlineCode: code } }, problems);
  }

  /**
   * A module of WebAssembly.
   *
   * @param wasm where it is, and how it runs
   */
  public static wasm(wasm: WasmCode): ExtensionCode {
    const fields = {
      url: wasm.url,
      sha256: wasm.sha256,
      imagePullSecret: wasm.imagePullSecret,
      pluginConfig: wasm.config,
      failStrategy: wasm.failOpen ? 'FAIL_OPEN' : undefined,
      type: wasm.readsTcp ? 'NETWORK' : undefined,
    };
    return new ExtensionCode({ wasm: fields as extensions.TrafficExtensionSpecWasm }, wasmProblems(wasm));
  }

  private constructor(
    private readonly fields: Pick<extensions.TrafficExtensionSpec, 'lua' | 'wasm'>,
    private readonly problems: readonly Problem[],
  ) {}

  /** @internal */
  public _spec(): Pick<extensions.TrafficExtensionSpec, 'lua' | 'wasm'> {
    return this.fields;
  }

  /** @internal */
  public _problems(): readonly Problem[] {
    return this.problems;
  }
}

function wasmProblems({ url, sha256 }: WasmCode): Problem[] {
  const problems: Problem[] = [];
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (url === '' || /\s/.test(url) || (scheme !== undefined && !SCHEMES.includes(scheme)))
    problems.push({
      what: `\`url\` is ${quote(url)}`,
      why: `a module is fetched by ${SCHEMES.join(', ')}`,
      fix: 'write an address such as oci://registry.example.com/filter:1.0',
    });
  if (sha256 !== undefined && !/^[a-f0-9]{64}$/.test(sha256))
    problems.push({
      what: `\`sha256\` is ${quote(sha256)}`,
      why: 'a checksum has 64 characters, of 0 to 9 and a to f',
      fix: 'write what sha256sum says of the module',
    });
  return problems;
}
