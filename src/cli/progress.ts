/** Progress of long work, on standard error and only if that is a terminal. */
export interface Progress {
  readonly update: (done: number, total: number) => void;
  readonly end: () => void;
}

const WIDTH = 24;
/** Work that is over sooner shows nothing. */
const PATIENCE_MS = 400;

export function progressBar(label: string): Progress {
  if (process.stderr.isTTY !== true) return { update: () => undefined, end: () => undefined };
  const start = Date.now();
  let shown = '';
  return {
    update: (done, total) => {
      if (Date.now() - start < PATIENCE_MS || total === 0) return;
      const filled = Math.round((done / total) * WIDTH);
      const line = `${label} [${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${done}/${total}`;
      if (line === shown) return;
      shown = line;
      process.stderr.write(`\r${line}`);
    },
    end: () => {
      if (shown !== '') process.stderr.write(`\r${' '.repeat(shown.length)}\r`);
    },
  };
}
