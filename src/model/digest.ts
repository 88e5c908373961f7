import { createHash } from 'node:crypto';

/** Alike where two texts are. */
export function digest(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
