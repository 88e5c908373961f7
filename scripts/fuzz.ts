/**
 * Hostile and odd manifests, file names, regular expressions, encodings and arguments, for every command and format: nothing may crash,
 * hang, or let through what a terminal, a runner or a reader of Markdown obeys.
 *
 *   npm run fuzz -- [--seed 1] [--seconds 60] [--keep FOLDER] [--replay FOLDER/N/case.json]
 *
 * What is wrong is shrunk, and left as files in the folder (default: mesh-edge-fuzz in the folder for temporary files).
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Campaign, type Case, keep } from '../test/fuzz/campaign';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '60' },
      keep: { type: 'string', default: join(tmpdir(), 'mesh-edge-fuzz') },
      replay: { type: 'string' },
    },
  });
  const campaign = new Campaign();
  try {
    if (values.replay !== undefined) {
      const { faults, args } = await campaign.once(JSON.parse(readFileSync(values.replay, 'utf8')) as Case);
      console.log(`mesh-edge ${args.map((one) => JSON.stringify(one)).join(' ')}`);
      for (const { kind, what } of faults) console.log(`${kind}\n${what}`);
      if (faults.length === 0) console.log('nothing is wrong');
      process.exitCode = faults.length === 0 ? 0 : 1;
      return;
    }
    const [seed, seconds] = [Number(values.seed), Number(values.seconds)];
    let number = 0;
    const found = await campaign.run({
      seed,
      seconds,
      found: (one) => {
        const folder = join(values.keep, String((number += 1)));
        keep(folder, one);
        console.log(`\n${number}. ${one.kind}\n   mesh-edge ${one.args.map((word) => JSON.stringify(word)).join(' ')}\n   ${folder}\n   ${one.what.slice(0, 500).split('\n').join('\n   ')}`); // prettier-ignore
      },
    });
    console.log(`\nseed ${seed}: ${campaign.runs} commands in ${seconds} s (${(campaign.runs / seconds).toFixed(1)} a second), ${found.length} kinds of faults; slowest ${Math.round(campaign.slowest.ms)} ms: ${campaign.slowest.args.join(' ').slice(0, 200)}`); // prettier-ignore
    process.exitCode = found.length === 0 ? 0 : 1;
  } finally {
    await campaign.end();
  }
}

void main();
