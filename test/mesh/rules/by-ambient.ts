/** Rules about workloads without sidecars: what istiod tells ztunnels, and what a waypoint does. */
import { type KubeObject } from '../../lab/api';
import { type AmbientRequest } from '../ambient';
import { type ByAmbient, type Confirmations } from './confirmation';

type Sight = ByAmbient['see'];

/** What istiod tells ztunnels of a host: the waypoint that it is led to, and whether there is an address to know it by. */
const told =
  (host: string): Sight =>
  async (ambient) => {
    const service = await ambient.service(host);
    if (!service) return 'no such host';
    const waypoint = service.waypoint?.hostname.hostname;
    return `${waypoint ?? 'no waypoint'}, ${(service.addresses ?? []).length > 0 ? 'an address' : 'no address'}`;
  };

/** What comes of a request of a workload, sent to the waypoint that istiod names. */
const answered =
  (from: string, url: string): Sight =>
  async (ambient) => {
    const { tunnel, status } = await ambient.request(request(from, url));
    return status === 0 ? `tunnel ${tunnel}, then the connection is closed` : `${status}`;
  };

/** How such a request arrives at the site. */
const arrived =
  (from: string, url: string): Sight =>
  async (ambient) => {
    const { site } = await ambient.request(request(from, url));
    return site === null ? 'not at all' : `in ${site.scheme}, with SNI "${site.sni}"`;
  };

/** The waypoint's route for such a request, as it logs it. */
const routedBy =
  (from: string, url: string): Sight =>
  async (ambient) =>
    `${(await ambient.request(request(from, url))).waypoint?.route_name ?? 'none'}`;

function request(from: string, url: string): AmbientRequest {
  return { from, account: from.split('/')[1]!, url, insecure: true };
}

/** What istiod tells ztunnels to allow by a policy. */
const allowedBy =
  (name: string): Sight =>
  async (ambient) => {
    const policy = (await ambient.told()).policies.find((one) => one.name === name);
    if (!policy || policy.action !== undefined) return 'no such policy that allows';
    const matches = (policy.groups ?? []).flatMap(({ rules }) => rules).flatMap((rule) => rule.matches);
    return matches.length === 0 ? 'nothing' : matches.map((match) => JSON.stringify(match)).join(', ');
  };

/** What istiod tells ztunnels to be at an address. */
const isAt =
  (address: string): Sight =>
  async (ambient) => {
    const { services, workloads } = await ambient.at(address);
    const behind = (one: { readonly waypoint?: object }) => (one.waypoint ? 'behind a waypoint' : 'behind none');
    return [
      ...services.map((one) => `the service ${one.hostname} ${behind(one)}`),
      ...workloads.map((one) => `a workload ${behind(one)}`),
    ].join(', ');
  };

const WAYPOINT = 'waypoint.istio-egress.svc.cluster.local';
const API = 'http://api.example.com/';
const TLS_API = 'https://api.example.com/';
const HOST = 'web.shop.svc.cluster.local';
const WEB = `http://${HOST}/`;
const OWN = 'waypoint.shop.svc.cluster.local, an address';
const PAST = 'no waypoint, an address';
const THROUGH = `${WAYPOINT}, an address`;
const CLOSED = 'tunnel 200, then the connection is closed';

/** Where istiod tells ztunnels that the way leads. */
const led = (host: string, bad: string, good = THROUGH): ByAmbient => ({
  by: 'ambient',
  look: `what istiod tells ztunnels of ${host}: waypoint, address`,
  see: told(host),
  bad,
  good,
});

/** What a request comes to that a test sends to the waypoint, as ztunnel would. */
const sent = (from: string, url: string, bad: string, good: string, beside?: readonly KubeObject[]): ByAmbient => ({
  by: 'ambient',
  look: `${from} through the waypoint to ${url}`,
  see: answered(from, url),
  bad,
  good,
  beside,
});

const arrival = (from: string, url: string, bad: string, good: string): ByAmbient => ({
  by: 'ambient',
  look: `how ${from} through the waypoint to ${url} arrives at the site`,
  see: arrived(from, url),
  bad,
  good,
});

const routeOf = (bad: string, good: string, url = API): ByAmbient => ({
  by: 'ambient',
  look: `the waypoint's route for shop/caller to ${url}`,
  see: routedBy('shop/caller', url),
  bad,
  good,
});

const ORIGINATED = 'in https, with SNI "api.example.com"';

/** A host that is bound to the waypoint of the example. */
const BOUND: readonly KubeObject[] = [
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'api', namespace: 'istio-egress', labels: { 'istio.io/use-waypoint': 'waypoint' } },
    spec: {
      hosts: ['api.example.com'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'DNS',
    },
  },
];

export const BY_AMBIENT: Confirmations = {
  'endpoints-past-waypoint/static-tcp': {
    by: 'ambient',
    look: 'what istiod tells ztunnels to be at 198.51.100.7',
    see: isAt('198.51.100.7'),
    bad: 'a workload behind none',
    good: 'the service api.example.com behind a waypoint, a workload behind none',
  },
  'entry-past-waypoint/beside-others': led('other.example.com', PAST),
  'entry-past-waypoint/policy': led('api.example.com', PAST),
  'entry-past-waypoint/route': led('api.example.com', PAST),
  'entry-past-waypoint/tls': led('api.example.com', PAST),
  'http-fields-on-tcp/methods-at-a-waypoint': sent('app/caller', TLS_API, CLOSED, '200'),
  'http-fields-on-tcp/methods-at-ztunnel': {
    by: 'ambient',
    look: 'what istiod tells ztunnels that the policy allows',
    see: allowedBy('readers'),
    bad: 'nothing',
    good: '{"destinationPorts":[8080]}',
  },
  'route-not-read-by-waypoint/elsewhere': routeOf('default', 'slow'),
  'route-not-read-by-waypoint/labels': routeOf('default', 'slow'),
  'route-not-read-by-waypoint/of-a-service': routeOf('default', 'slow', WEB),
  'route-without-waypoint/http-route': led(HOST, PAST, OWN),
  'route-without-waypoint/virtual-service': led(HOST, PAST, OWN),
  'selector-on-gateway-api/waypoint': sent('shop/caller', API, '200', '403', BOUND),
  'tls-modes-differ/at-a-waypoint': sent('shop/caller', API, '503', '200'),
  'unknown-to-ztunnel/no-resolution': led('api.example.com', `${WAYPOINT}, no address`),
  'unknown-to-ztunnel/not-allocated': led('api.example.com', `${WAYPOINT}, no address`),
  'unknown-to-ztunnel/wildcard': led('www.example.com', `${WAYPOINT}, no address`),
  'unknown-to-ztunnel/wildcard-tls': sent('shop/caller', TLS_API, CLOSED, '200'),
  'waypoint-not-usable/for-workloads': led('api.example.com', PAST),
  'waypoint-not-usable/misspelt': led('api.example.com', PAST),
  'waypoint-not-usable/namespace-label-missing': led('api.example.com', PAST),
  'waypoint-not-usable/not-open': led('api.example.com', PAST),
  'waypoint-open-to-all/nobody-held': sent('shop/caller', TLS_API, '200', CLOSED),
  'waypoint-open-to-all/one-held': arrival(
    'shop/caller',
    'http://other.example.com/',
    'in http, with SNI ""',
    'not at all',
  ),
  'waypoint-tls-ignored/elsewhere': arrival('shop/caller', API, 'in http, with SNI ""', ORIGINATED),
  'waypoint-tls-ignored/mutual-of-the-mesh': arrival('shop/caller', API, 'in http, with SNI ""', ORIGINATED),
};
