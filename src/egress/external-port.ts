import { isDnsLabel, portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';

/** What may be said of a port beyond its number and protocol. */
export interface ExternalPortOptions {
  /**
   * The port's name in the ServiceEntry: a DNS label.
   *
   * @default the protocol, such as "http"; with the number added where a service has several ports of the protocol
   */
  readonly name?: string;

  /**
   * The port that the host really listens on, where it differs from the one that applications dial.
   *
   * @default the port's own number
   */
  readonly targetPort?: number;
}

/**
 * A port of an external service, with the protocol that applications speak on it. The protocol decides how a sidecar
 * tells hosts apart: by the Host header (HTTP, HTTP2, GRPC), by SNI (TLS, HTTPS), or by address alone (TCP).
 *
 * @see https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
 */
export class ExternalPort {
  /**
   * Plain-text HTTP/1.1.
   *
   * @param number the port that applications dial, 80 if left out
   * @param options its name, and the port that the service itself listens on
   */
  public static http(number?: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number ?? 80, 'HTTP', options ?? {});
  }

  /**
   * Plain HTTP for the application, TLS for the site: what is dialled on port 80 goes to port 443 as TLS that the last proxy originates (the egress gateway's, else
   * the sidecar's). `http` of `forward`, SidecarEgress and rules is then `HttpEgress.originateTls()` unless it says mutual TLS; sent on as it is it would be plain text to a TLS port, which is refused.
   *
   * @param number the port that applications dial, 80 if left out
   * @param targetPort the port of the site that speaks TLS, 443 if left out
   * @example
   * new ExternalService(this, 'Cnn', { hosts: ['edition.cnn.com'], ports: [ExternalPort.httpThenTls()] });
   */
  public static httpThenTls(number?: number, targetPort?: number): ExternalPort {
    return new ExternalPort(number ?? 80, 'HTTP', { targetPort: targetPort ?? 443 }, true);
  }

  /**
   * HTTPS made by the application: the proxies route it by SNI and never see inside.
   *
   * @param number the port that applications dial, 443 if left out
   * @param options its name, and the port that the service itself listens on
   */
  public static https(number?: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number ?? 443, 'HTTPS', options ?? {});
  }

  /**
   * Any protocol inside TLS that the application makes and that begins with a TLS handshake. Not for protocols that begin in plain
   * text and upgrade (Postgres, MySQL, SMTP): those are TCP.
   *
   * @param number the port that applications dial, 443 if left out
   * @param options its name, and the port that the service itself listens on
   */
  public static tls(number?: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number ?? 443, 'TLS', options ?? {});
  }

  /**
   * Plain-text HTTP/2.
   *
   * @param number the port that applications dial, 80 if left out
   * @param options its name, and the port that the service itself listens on
   */
  public static http2(number?: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number ?? 80, 'HTTP2', options ?? {});
  }

  /**
   * Plain-text gRPC.
   *
   * @param number the port that applications dial
   * @param options its name, and the port that the service itself listens on
   */
  public static grpc(number: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number, 'GRPC', options ?? {});
  }

  /**
   * Any other protocol, told apart by address: give the service `addresses`, or have Istio allocate one (DNS capture).
   *
   * @param number the port that applications dial
   * @param options its name, and the port that the service itself listens on
   */
  public static tcp(number: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number, 'TCP', options ?? {});
  }

  /**
   * MongoDB's wire protocol in plain text. Routed as TCP.
   *
   * @param number the port that applications dial, 27017 if left out
   * @param options its name, and the port that the service itself listens on
   */
  public static mongo(number?: number, options?: ExternalPortOptions): ExternalPort {
    return new ExternalPort(number ?? 27017, 'MONGO', options ?? {});
  }

  /** Istio's word for the protocol, such as "HTTPS". */
  public readonly protocol: string;

  /** The port that applications dial. */
  public readonly number: number;

  /** The port that the host really listens on, where that is another. */
  public readonly targetPort?: number;

  /** The name that was asked for, if one was. */
  public readonly name?: string;

  /** @internal */
  public readonly _thenTls: boolean;

  private constructor(number: number, protocol: string, options: ExternalPortOptions, thenTls = false) {
    this.number = number;
    this.protocol = protocol;
    this.name = options.name;
    this.targetPort = options.targetPort;
    this._thenTls = thenTls;
  }

  /** Whether proxies read requests on it: HTTP, HTTP2, GRPC. */
  public get isHttp(): boolean {
    return this.protocol === 'HTTP' || this.protocol === 'HTTP2' || this.protocol === 'GRPC';
  }

  /** Whether proxies route it by SNI: TLS, HTTPS. */
  public get isTls(): boolean {
    return this.protocol === 'TLS' || this.protocol === 'HTTPS';
  }

  /** Whether proxies know it by address only. */
  public get isTcp(): boolean {
    return !this.isHttp && !this.isTls;
  }

  /**
   * The same port, whose traffic goes to another one of the host.
   *
   * @internal
   */
  public _to(targetPort: number): ExternalPort {
    return new ExternalPort(this.number, this.protocol, { name: this.name, targetPort });
  }

  /** @internal */
  public _problems(): Problem[] {
    const problems = portProblems('port', this.number);
    if (this.targetPort !== undefined) problems.push(...portProblems('targetPort', this.targetPort));
    if (this.name !== undefined && !isDnsLabel(this.name)) {
      problems.push({
        what: `port name ${quote(this.name)} is not a DNS label`,
        why: "Istio's webhook refuses it",
        fix: 'use a-z, 0-9 and inner hyphens, 63 characters at most',
      });
    }
    if (this.isHttp && (this.number === 443 || this.number === 8443)) {
      problems.push({
        what: `port ${this.number} is declared ${this.protocol}`,
        why: 'plain HTTP on a TLS port makes the sidecar treat all that is dialled there as HTTP, which breaks every other HTTPS host on it',
        fix: `use ExternalPort.https(${this.number}) for TLS made by the application; to have a proxy make the TLS, declare ExternalPort.http() beside it and originate TLS`,
      });
    }
    return problems;
  }
}

/**
 * The names that ports get in an object: their own, else the protocol, told apart by number where it occurs twice.
 *
 * @internal
 */
export function portNames(ports: readonly ExternalPort[]): string[] {
  const stem = (port: ExternalPort) => port.protocol.toLowerCase();
  return ports.map(
    (port) =>
      port.name ??
      (ports.filter((other) => other.protocol === port.protocol).length > 1
        ? `${stem(port)}-${port.number}`
        : stem(port)),
  );
}
