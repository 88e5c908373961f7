/** Protocols of ports of Istio's own objects, as they are written. */
import * as model from '../model/protocols';

export function isKnownProtocol(protocol: string): boolean {
  return model.parseProtocol(protocol) !== 'AUTO';
}

export function isHttp(protocol: string | undefined): boolean {
  return model.isHttp(model.parseProtocol(protocol));
}

export function isTls(protocol: string | undefined): boolean {
  return model.isTls(model.parseProtocol(protocol));
}

/** Neither HTTP nor TLS: nothing in it names the host that it is for. An unset protocol is TCP here. */
export function isPlainTcp(protocol = ''): boolean {
  const read = model.parseProtocol(protocol);
  return protocol === '' || (model.isTcp(read) && !model.isTls(read));
}
