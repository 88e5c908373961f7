import { Audience, ExternalPort, ExternalService } from 'cdk8s-mesh-edge';
import { Construct } from 'constructs';

export interface AuditedServiceProps {
  readonly host: string;
  /** The team that answers for the traffic. */
  readonly owner: string;
  /** The namespaces that may call it. */
  readonly callers: string[];
}

/** This team's rule: each external host has an owner, HTTP and HTTPS, and named callers. */
export class AuditedService extends ExternalService {
  public constructor(scope: Construct, id: string, props: AuditedServiceProps) {
    super(scope, id, {
      hosts: [props.host],
      // The plain port itself goes to 443, so that no application speaks HTTPS past the gateway's eyes.
      ports: [ExternalPort.http(80, { targetPort: 443 })],
      audience: Audience.namespaces(...props.callers),
      namespace: 'platform',
    });
    this.serviceEntry.metadata.addAnnotation('example.com/owner', props.owner);
  }
}
