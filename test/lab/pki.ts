import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { sh } from './process';

/** The paths of a certificate and its key. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const DAYS = '30';

/** A certificate authority made when the lab starts; its folder keeps what it issued. */
export class Authority {
  /** Makes a new authority in `folder`. */
  public static async create(folder: string, commonName: string): Promise<Authority> {
    fs.mkdirSync(folder, { recursive: true });
    const authority = new Authority(folder);
    const subject = ['-subj', `/CN=${commonName}`, '-days', DAYS];
    await newKey(authority.key);
    await sh(['openssl', 'req', '-x509', '-new', '-key', authority.key, ...subject, '-out', authority.cert]);
    return authority;
  }

  /** The authority that was made in `folder`. */
  public static open(folder: string): Authority {
    return new Authority(folder);
  }

  private constructor(private readonly folder: string) {}

  /** The path of its own certificate. */
  public get cert(): string {
    return path.join(this.folder, 'ca.crt');
  }

  private get key(): string {
    return path.join(this.folder, 'ca.key');
  }

  /**
   * Issues a certificate for servers and clients alike.
   *
   * @param names the subject's alternative names: `DNS:...` or `IP:...`
   */
  public async issue(name: string, commonName: string, names: readonly string[]): Promise<KeyPair> {
    const file = (ending: string) => path.join(this.folder, `${name}.${ending}`);
    const pair = { cert: file('crt'), key: file('key') };
    await newKey(pair.key);
    await sh(['openssl', 'req', '-new', '-key', pair.key, '-subj', `/CN=${commonName}`, '-out', file('csr')]);
    const extensions = `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`;
    fs.writeFileSync(file('ext'), extensions);
    // A number of its own for each: a file that counts them would be shared by certificates issued side by side.
    const serial = ['-set_serial', `0x${randomBytes(16).toString('hex')}`];
    const signer = ['-CA', this.cert, '-CAkey', this.key, ...serial, '-days', DAYS];
    await sh(['openssl', 'x509', '-req', '-in', file('csr'), ...signer, '-extfile', file('ext'), '-out', pair.cert]);
    return pair;
  }
}

async function newKey(file: string): Promise<void> {
  await sh(['openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file]);
}

/** An RSA key pair for signing service account tokens. */
export async function serviceAccountKeys(
  folder: string,
): Promise<{ readonly private: string; readonly public: string }> {
  const keys = { private: path.join(folder, 'sa.key'), public: path.join(folder, 'sa.pub') };
  await sh(['openssl', 'genrsa', '-out', keys.private, '2048']);
  await sh(['openssl', 'rsa', '-in', keys.private, '-pubout', '-out', keys.public]);
  return keys;
}
