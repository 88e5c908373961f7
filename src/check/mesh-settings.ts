/** Settings of the mesh that some rules depend on and that are not about routes. */
import { record, text } from '../model/fields';
import { defineIndex } from './context';

/** Whether manifests say that sidecars answer DNS, so that hosts get addresses of their own. */
export const dnsCapture = defineIndex('dns capture', ({ manifests }): boolean =>
  manifests.some((manifest) => {
    const body = record(manifest.body);
    const spec = record(body.spec);
    const configs = [record(spec.meshConfig), record(body.meshConfig), record(record(spec.values).meshConfig)];
    const isOn = configs.some(
      (config) => String(record(record(config.defaultConfig).proxyMetadata).ISTIO_META_DNS_CAPTURE) === 'true',
    );
    const inText =
      manifest.kind === 'ConfigMap' && /ISTIO_META_DNS_CAPTURE["']?:\s*["']?true/.test(text(record(body.data).mesh));
    const isProxyConfig =
      manifest.kind === 'ProxyConfig' && String(record(spec.environmentVariables).ISTIO_META_DNS_CAPTURE) === 'true';
    return isOn || inText || isProxyConfig;
  }),
);
