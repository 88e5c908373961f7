import * as fs from 'node:fs';
import { built } from './build';
import { builtForIngress } from './envoy-gateway';
import { type RootFs } from './rootfs';

/** How a container of an image runs on this machine, where no image is ever pulled. */
export interface Image {
  /** What runs where the container names no command of its own. */
  readonly entrypoint: readonly string[];
  /** Puts in place what the image would bring and this machine has not. */
  readonly prepare?: (root: RootFs) => Promise<void>;
  /** Variables that its container has for what it is started with. */
  readonly environment?: (args: readonly string[]) => Readonly<Record<string, string>>;
}

/** Where a Pod finds Envoy. The cache's own path may be covered there, by the Pod's /tmp or because it is a mount of its own. */
const ENVOY = '/usr/local/libexec/envoy';

/** Envoy's own flush interval is a second, which every look into an access log would wait for. */
const ENVOY_WRAPPER = `#!/bin/bash
args=()
while [ $# -gt 0 ]; do
  args+=("$1")
  if [ "$1" = --file-flush-interval-msec ]; then args+=(50); shift; fi
  shift
done
exec ${ENVOY} "\${args[@]}"
`;

/** The same for Envoy Gateway's proxies, whose command line says nothing of it. */
const GATEWAY_ENVOY_WRAPPER = `#!/bin/bash
exec ${ENVOY} "$@" --file-flush-interval-msec 50 --concurrency 1
`;

/** Istio's own template, less an extension that only its own Envoy has: a waypoint's metrics name workloads by it. */
function bootstrapTemplate(): string {
  const template = fs.readFileSync(built('istio', 'envoy_bootstrap.json'), 'utf8');
  return template.replaceAll('{{- if .metadata_discovery }}', '{{- if false }}');
}

/**
 * Waypoints say that they are proxies of 1.29.1, whatever istiod is: for those since 1.29.2 istiod names a factory of Istio's own Envoy
 * (`istio.hashable_string`, `ConnectAuthorityFilter` in pilot/pkg/xds/filters/filters.go), and a stock Envoy refuses their listener.
 */
const WAYPOINT_ENVIRONMENT = { ISTIO_META_ISTIO_VERSION: '1.29.1' };

/**
 * Images by the last element of their name. A container of any other image runs nothing and is ready at once: what
 * stands for an application whose only use is to be called from.
 */
const IMAGES: Readonly<Record<string, Image>> = {
  proxyv2: {
    entrypoint: ['/usr/local/bin/pilot-agent'],
    prepare: async (root) => {
      await root.bind(built('istio', 'pilot-agent'), '/usr/local/bin/pilot-agent');
      await root.write('/var/lib/istio/envoy/envoy_bootstrap_tmpl.json', bootstrapTemplate());
      await root.bind(built('envoy', 'envoy'), ENVOY);
      await root.write('/usr/local/bin/envoy', ENVOY_WRAPPER, 0o755);
    },
    environment: (args) => (args.includes('waypoint') ? WAYPOINT_ENVIRONMENT : {}),
  },
  nginx: {
    entrypoint: ['nginx', '-g', 'daemon off;'],
    // As in the published image: its logs are the container's output.
    prepare: async (root) => {
      await root.link('/dev/stdout', '/var/log/nginx/access.log');
      await root.link('/dev/stderr', '/var/log/nginx/error.log');
    },
  },
  // Envoy Gateway's controller, its proxies, its rate-limit service, and what document 000 sends to.
  gateway: {
    entrypoint: ['envoy-gateway'],
    prepare: (root) => root.bind(builtForIngress('controller', 'envoy-gateway'), '/usr/local/bin/envoy-gateway'),
  },
  envoy: {
    entrypoint: ['envoy'],
    prepare: async (root) => {
      await root.bind(built('envoy', 'envoy'), ENVOY);
      await root.write('/usr/local/bin/envoy', GATEWAY_ENVOY_WRAPPER, 0o755);
    },
  },
  ratelimit: {
    entrypoint: ['/bin/ratelimit'],
    prepare: (root) => root.bind(builtForIngress('rateLimit', 'ratelimit'), '/usr/bin/ratelimit'),
  },
  redis: { entrypoint: ['redis-server'] },
  'go-httpbin': {
    entrypoint: ['/usr/local/bin/go-httpbin'],
    prepare: (root) => root.bind(builtForIngress('httpbin', 'go-httpbin'), '/usr/local/bin/go-httpbin'),
  },
  squid: { entrypoint: ['squid', '-N', '-f', '/etc/squid/squid.conf'] },
};

/** How containers of that image run, if this machine has what it takes. */
export function tryImage(reference: string): Image | undefined {
  const name = reference.split('/').pop()!.split(/[:@]/)[0]!;
  return IMAGES[name];
}
