/** What people type, as `--help` shows it below the options of a command. */
import type { Command } from 'commander';

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  check: [
    'mesh-edge check dist',
    'kustomize build overlays/prod | mesh-edge check -',
    'mesh-edge check . --format sarif --fail-on warning',
    'mesh-edge check . --baseline findings.json --write-baseline',
  ],
  trace: [
    'mesh-edge trace dist --from shop/payments --request https://api.stripe.com/',
    'mesh-edge trace dist --from outside --at istio-ingress/public --request https://shop.example.com/cart --method POST',
    'mesh-edge trace dist --requests requests.jsonl',
  ],
  diff: [
    'mesh-edge diff main:dist dist',
    'mesh-edge diff old/ new/ --format markdown --exit-code',
    'mesh-edge diff cluster.yaml dist --over',
  ],
  diagram: [
    'mesh-edge diagram dist -o edge.html',
    'mesh-edge diagram dist -o stripe.svg --from shop/payments --request https://api.stripe.com/',
  ],
  adopt: [
    'mesh-edge adopt manifests/ -o edge/ --by namespace',
    'mesh-edge adopt overlays/dev overlays/prod --environments -o edge/',
  ],
  dump: ['sh -c "$(mesh-edge dump)" > cluster.yaml && mesh-edge check cluster.yaml'],
  worlds: ['mesh-edge worlds .', 'mesh-edge worlds . --format json'],
  init: ['mesh-edge init', 'npx cdk8s-mesh-edge init --app && npm install'],
  upgrade: [
    'mesh-edge upgrade dist --istio-version 1.29..1.32',
    'mesh-edge upgrade dist --envoy-gateway-version 1.7..1.9 --gateway-api-version 1.4..1.7 --format markdown',
  ],
  verify: ['mesh-edge verify cluster.yaml --config-dump web.json gateway.json'],
  prove: ['mesh-edge prove rules.yaml dist', 'mesh-edge prove rules.yaml dist --format github'],
  list: [
    'mesh-edge list dist',
    'mesh-edge list dist --from shop --format csv',
    'mesh-edge list dist --by ServiceEntry/shop/stripe',
    'mesh-edge list dist --format html > register.html',
  ],
  completion: ['source <(mesh-edge completion bash)', 'mesh-edge completion fish | source'],
};

export function addExamples(command: Command): void {
  const own = EXAMPLES[command.name()] ?? [];
  if (own.length > 0) command.addHelpText('after', `\nExamples:\n${own.map((line) => `  $ ${line}`).join('\n')}`);
}
