/** Meshes for benchmarks: the documents' pattern, host by host, in the namespaces of fifty teams, as tools write YAML. */

export const TEAMS = 50;
export const OBJECTS_A_HOST = 4;

const GATEWAY = 'istio-egressgateway.istio-system.svc.cluster.local';

export function object(kind: string, namespace: string, name: string, spec: string): string {
  return `---
apiVersion: networking.istio.io/v1
kind: ${kind}
metadata:
  name: ${name}
  namespace: ${namespace}
  labels:
    app.kubernetes.io/managed-by: cdk8s
    app.kubernetes.io/part-of: edge
  annotations:
    example.com/owner: ${namespace}@example.com
spec:
${spec}`;
}

/** Four objects a host: it is known, the gateway serves it, and routes lead from sidecars to the gateway and from there out. */
export function edge(hosts: number): string[] {
  const objects: string[] = [];
  for (let at = 0; at < hosts; at += 1) {
    const host = `h${at}.example.com`;
    const team = `team${at % TEAMS}`;
    objects.push(
      object(
        'ServiceEntry',
        team,
        `e${at}`,
        `  hosts:
    - ${host}
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
    - number: 80
      name: http
      protocol: HTTP
    - number: 443
      name: tls
      protocol: TLS
`,
      ),
      object(
        'Gateway',
        team,
        `g${at}`,
        `  selector:
    istio: egressgateway
  servers:
    - port:
        number: 80
        name: http
        protocol: HTTP
      hosts:
        - ${host}
`,
      ),
      object('DestinationRule', 'istio-system', `d${at}`, `  host: ${GATEWAY}\n  subsets:\n    - name: s${at}\n`),
      object(
        'VirtualService',
        team,
        `v${at}`,
        `  hosts:
    - ${host}
  gateways:
    - mesh
    - g${at}
  http:
    - match:
        - gateways:
            - mesh
          port: 80
      route:
        - destination:
            host: ${GATEWAY}
            subset: s${at}
            port:
              number: 80
    - match:
        - gateways:
            - g${at}
          port: 80
      route:
        - destination:
            host: ${host}
            port:
              number: 80
`,
      ),
    );
  }
  return objects;
}
