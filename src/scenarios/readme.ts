import { PICTURES } from './pictures';
import type { ScenarioText } from './scenario';

/** The README of a scenario's folder. */
export function readmeOf(id: string, text: ScenarioText): string {
  const lines = [`# ${text.title}`, '', text.shows, ''];
  if (text.needs?.length) lines.push('## Before', '', ...text.needs.map((need) => `- ${need}`), '');
  if (text.outcomes.length) {
    lines.push(
      '## What a request does',
      '',
      '| request | seen |',
      '| --- | --- |',
      ...text.outcomes.map(({ request, seen }) => `| ${cell(request)} | ${cell(seen)} |`),
      '',
    );
  }
  const pictures = PICTURES[id] ?? [];
  if (pictures.length)
    lines.push('## The path of a request', '', 'As `mesh-edge trace` finds it in the manifests.', '');
  for (const { title, mermaid } of pictures) lines.push(`### ${title}`, '', '```mermaid', mermaid, '```', '');
  lines.push(`Written by \`npm run synth\` from \`src/scenarios/${id}.ts\`; edits here are lost.`);
  return lines.join('\n');
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|');
}
