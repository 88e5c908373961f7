import { committed, GATEWAY, Mesh, meshOptions } from './mesh';

/** The fields of document 002's sample line. */
const FIELDS = [
  'authority',
  'bytes_received',
  'bytes_sent',
  'downstream_local_address',
  'downstream_remote_address',
  'duration',
  'istio_policy_status',
  'method',
  'path',
  'protocol',
  'request_id',
  'requested_server_name',
  'response_code',
  'response_flags',
  'route_name',
  'start_time',
  'trace_id',
  'upstream_cluster',
  'upstream_host',
  'upstream_local_address',
  'upstream_service_time',
  'upstream_transport_failure_reason',
  'user_agent',
  'x_forwarded_for',
];

/** The order of Istio's own text format. */
const TEXT = [
  'start_time',
  'request',
  'response_code',
  'response_flags',
  'response_code_details',
  'connection_termination_details',
  'upstream_transport_failure_reason',
  'bytes_received',
  'bytes_sent',
  'duration',
  'upstream_service_time',
  'x_forwarded_for',
  'user_agent',
  'request_id',
  'authority',
  'upstream_host',
  'upstream_cluster',
  'upstream_local_address',
  'downstream_local_address',
  'downstream_remote_address',
  'requested_server_name',
  'route_name',
];

/** The fields of a line of text: quoted, bracketed, or up to the next space. */
function readText(line: string): Readonly<Record<string, string>> {
  const values = [...line.matchAll(/\[([^\]]*)\]|"([^"]*)"|(\S+)/g)].map(
    ([, time, quoted, bare]) => time ?? quoted ?? bare,
  );
  if (values.length !== TEXT.length) throw new Error(`${values.length} fields where ${TEXT.length} are due: ${line}`);
  return Object.fromEntries(TEXT.map((name, index) => [name, values[index]!]));
}

describe('access-log', () => {
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await Mesh.open();
    await mesh.use([...committed('access-log'), ...committed('gateway-http')], {
      ...meshOptions('access-log'),
      accessLogFile: '',
    });
  });
  afterAll(() => mesh.clear());

  it('logs a request as JSON, with every field of document 002, where the Telemetry object of the namespace says so', async () => {
    const { sidecar } = await mesh.request({ url: 'http://edition.cnn.com/politics' });
    expect(Object.keys(sidecar!)).toEqual(expect.arrayContaining(FIELDS));
    expect(sidecar).toMatchObject({
      authority: 'edition.cnn.com',
      method: 'GET',
      path: '/politics',
      response_code: 200,
      upstream_cluster: 'outbound|80|cnn|istio-egressgateway.istio-system.svc.cluster.local',
    });
  });

  it('logs the same request as text at the gateway, with the same facts', async () => {
    await mesh.request({ url: 'http://edition.cnn.com/weather' });
    const log = await mesh.lab.containerLog(GATEWAY, 'istio-proxy');
    const line = log
      .split('\n')
      .filter((candidate) => candidate.startsWith('['))
      .at(-1)!;
    expect(readText(line)).toMatchObject({
      authority: 'edition.cnn.com',
      request: expect.stringContaining('GET /weather '),
      response_code: '200',
      upstream_cluster: 'outbound|80||edition.cnn.com',
    });
  });

  it('is accepted by every proxy', async () => {
    expect(await mesh.newRejects()).toBe('');
  });
});
