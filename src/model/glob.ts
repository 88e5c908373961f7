/** Patterns of paths as .gitignore and CI files write them: `*` within a name, `**` across folders, `?`, `{a,b}`. */
export function matcher(pattern: string): (path: string) => boolean {
  const clean = pattern
    .replace(/^\.\//, '')
    .replace(/\/$/, '')
    .replace(/(\*\*\/)+/g, '**/');
  if (!/[*?{[]/.test(clean)) return (path) => path === clean;
  const expression = clean.replace(/\*\*\/|\*\*|[*?]|\{[^{}]*\}|\[[^\]]*\]|[\\^$.|+()[\]{}]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token.length > 1 && token.startsWith('{')) return `(?:${token.slice(1, -1).split(',').map(escaped).join('|')})`;
    if (token.length > 2 && token.startsWith('['))
      return `[${token.slice(1, -1).replace(/\\/g, '\\\\').replace(/^!/, '^')}]`;
    return `\\${token}`;
  });
  try {
    const whole = new RegExp(`^${expression}$`);
    return (path) => whole.test(path);
  } catch {
    return (path) => path === clean; // a class such as [z-a] has no meaning
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replace(/\*/g, '[^/]*');
}

export const isGlob = (pattern: string): boolean => /[*?{[]/.test(pattern);
