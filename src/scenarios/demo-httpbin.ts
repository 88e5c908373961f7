import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { ScenarioChart } from './scenario';

/** Document 000: an application of the mesh to send to. */
export class DemoHttpbin extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'demo-httpbin', {
      title: 'httpbin, an application of the mesh',
      shows:
        "Istio's sample application in a namespace of its own, with sidecars. Its Service maps port 8000 to the container's 8080: a proxy that dialled Pods by address would come to a port that no Service of the mesh has.",
      outcomes: [
        { request: '`curl http://httpbin.httpbin:8000/get` from a Pod of the mesh', seen: '200, by mutual TLS' },
      ],
    });
    const { name: namespace } = new MeshNamespace(this, 'httpbin');
    const metadata = { name: 'httpbin', namespace };
    const labels = { app: 'httpbin', version: 'v1' };
    new k8s.KubeServiceAccount(this, 'ServiceAccount', { metadata });
    new k8s.KubeService(this, 'Service', {
      metadata: { ...metadata, labels: { app: 'httpbin', service: 'httpbin' } },
      spec: {
        selector: { app: 'httpbin' },
        ports: [{ name: 'http', port: 8000, targetPort: k8s.IntOrString.fromNumber(8080) }],
      },
    });
    new k8s.KubeDeployment(this, 'Deployment', {
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: 'httpbin',
            containers: [
              {
                name: 'httpbin',
                image: 'mccutchen/go-httpbin:v2.15.0',
                imagePullPolicy: 'IfNotPresent',
                ports: [{ containerPort: 8080 }],
              },
            ],
          },
        },
      },
    });
  }
}
