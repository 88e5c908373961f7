import { Construct } from 'constructs';
import { IstioInstall } from '../install/istio-install';
import { AccessLog, AccessLogFormat } from '../mesh/access-log';
import { ScenarioChart } from './scenario';

/** Documents 001, 002 and 003: a line for each request, as text and as JSON. */
export class AccessLogs extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'access-log', {
      title: 'Access logs, as text and as JSON',
      shows:
        "The mesh logs as text, in Istio's own format; namespace `default` as JSON, with document 002's fields. The formats are providers of the mesh configuration (`install/`); the Telemetry objects say who uses which.",
      outcomes: [
        {
          request: 'any request from `default`',
          seen: 'a JSON line with `upstream_cluster`, `requested_server_name`, `response_flags` and the rest',
        },
        { request: 'the same at the gateway in `istio-system`', seen: 'a text line with the same facts' },
      ],
    });
    const text = AccessLogFormat.text();
    const json = AccessLogFormat.json();
    new IstioInstall(this, 'Install', { accessLogs: [text, json] });
    new AccessLog(this, 'mesh-default', { format: text });
    new AccessLog(this, 'access-log-json', { format: json, namespace: 'default' });
  }
}
