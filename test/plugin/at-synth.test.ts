import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import { EdgeApp } from '../../src/app/edge-app';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { CheckValidation, checkAtSynth } from '../../src/plugin';

const folder = (): string => join(mkdtempSync(join(tmpdir(), 'at-synth-')), 'out');

function entry(chart: Chart, resolution: string): void {
  new ApiObject(chart, 'Entry', {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'cdn', namespace: 'app' },
    spec: { hosts: ['*.example.com'], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }], resolution },
  });
}

describe('checkAtSynth', () => {
  it('makes synth of a plain cdk8s app refuse what check finds, with construct path, why and fix', () => {
    const app = new App({ outdir: folder() });
    entry(new Chart(app, 'edge'), 'DNS');
    checkAtSynth(app);
    expect(() => app.synth()).toThrow(
      /edge\/Entry: ServiceEntry app\/cdn .*EDGE101 service-entry-refused[^]*why: [^]*fix: /,
    );
  });

  it('makes synth of an EdgeApp refuse it as well', () => {
    const app = new EdgeApp({ manifests: folder() });
    entry(new Chart(app, 'edge'), 'DNS');
    checkAtSynth(app);
    expect(() => app.synth()).toThrow(/EDGE101/);
  });

  it('lets through what is right', () => {
    const app = new EdgeApp({ manifests: folder() });
    entry(new Chart(app, 'edge'), 'NONE');
    checkAtSynth(app);
    expect(() => app.synth()).not.toThrow();
  });

  it('judges a chart by itself, and as gravely as it is asked to', () => {
    const app = new App({ outdir: folder() });
    const chart = new Chart(app, 'edge');
    new ApiObject(chart, 'Entry', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'api', namespace: 'app' },
      spec: { hosts: ['api.example.com'], ports: [{ number: 443, name: 'http', protocol: 'HTTP' }], resolution: 'DNS' },
    });
    expect(new CheckValidation(chart).validate()).toEqual([]);
    expect(new CheckValidation(chart, { failOn: 'warning' }).validate().join()).toMatch(/EDGE114/);
  });

  it('names the line of the user that made the object, or the construct that it belongs to', () => {
    const app = new App({ outdir: folder() });
    const chart = new Chart(app, 'edge');
    const service = new ExternalService(chart, 'Cdn', { hosts: ['*.example.com'], ports: [ExternalPort.https()] });
    new ApiObject(service, 'Entry', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'cdn', namespace: 'app' },
      spec: { hosts: ['*.a.example.com'], ports: [{ number: 443, name: 'tls', protocol: 'TLS' }], resolution: 'DNS' },
    });
    const [message = ''] = new CheckValidation(app).validate();
    expect(message).toMatch(/EDGE101/);
    expect(message).toMatch(/\n {6}at: test\/plugin\/at-synth\.test\.ts:\d+$/);
  });

  it('lets names of manifests only show', () => {
    const hostile = 'a\u001b[2J\n::error::x\u202e';
    const app = new EdgeApp({ manifests: folder() });
    const chart = new Chart(app, 'edge');
    new ApiObject(chart, 'Entry', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: hostile, namespace: hostile },
      spec: { hosts: [`*.${hostile}`], ports: [{ number: 443, name: hostile, protocol: hostile }], resolution: 'DNS' },
    });
    chart.node.addValidation({ validate: () => [`somebody else's: ${hostile}`] });
    checkAtSynth(app);
    const { message } = (() => {
      try {
        return { message: (app.synth(), '') };
      } catch (error) {
        return error as Error;
      }
    })();
    expect(message).toMatch(/EDGE002/);
    // eslint-disable-next-line no-control-regex
    expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(message).not.toMatch(/^\s*::/m);
  });
});
