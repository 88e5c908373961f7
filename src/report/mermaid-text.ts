import { printable } from '../model/printable';

/** Text in Mermaid's quotes, row by row: what would end them, be read as markup, or end the fence around a chart, is an entity. */
export function label(rows: readonly string[]): string {
  const safe = rows.map((row) =>
    printable(row)
      .replace(/&/g, '&amp;')
      .replace(/"/g, '&quot;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      .replace(/#/g, '&#35;')
      .replace(/`/g, '&#96;')
      .replace(/~/g, '&#126;')
      .replace(/%/g, '&#37;'),
  );
  return `"${safe.join('<br/>')}"`;
}
