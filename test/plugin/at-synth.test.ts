import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import { EdgeApp } from '../../src/app/edge-app';
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
});
