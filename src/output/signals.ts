/** Signals that end a run wait until a folder is whole again. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs what must not be broken off. Node hears of a signal only between two turns of its loop, once somebody listens: so nothing within
 * `action`, which never waits, is broken off. A signal that came meanwhile ends the run right after, as it would have.
 */
export function holdSignals<T>(action: () => T): T {
  for (const signal of ENDING) if (!process.listeners(signal).includes(obey)) process.on(signal, obey);
  try {
    return action();
  } finally {
    setImmediate(release);
  }
}

function release(): void {
  for (const signal of ENDING) process.off(signal, obey);
}

/** Whoever listens besides decides what a signal does; else it does what it always does. */
function obey(signal: NodeJS.Signals): void {
  release();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
