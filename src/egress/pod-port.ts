/**
 * Where a port of the Service listens in the pod: a process without privileges can't open those under 1024.
 *
 * @internal
 */
export function podPortOf(port: number): number {
  return port < 1024 ? port + 8000 : port;
}
