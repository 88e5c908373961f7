import { Lab } from '../../lab/lab';
import { given, labOf } from './labs';

/** Runs once after the mesh tests: ends the labs that they started, and says which of their parts had to be started again. */
export default async function endLabs({ maxWorkers }: { readonly maxWorkers: number }): Promise<void> {
  if (given() !== undefined) return;
  await Promise.all(Array.from({ length: maxWorkers }, (_, index) => end(labOf(index + 1))));
}

async function end(name: string): Promise<void> {
  const lab = await Lab.connect(name);
  if (/The end of its log:/.test(lab.hostLog())) process.stderr.write(`\nThe log of lab ${name}:\n${lab.hostLog()}\n`);
  await lab.down();
}
