import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { code, text } from '../../src/report/markdown-text';

const reader = new MarkdownIt({ html: true, linkify: true });
// GitHub makes no link of a bare host, which this reader would; of one that begins with www. it does.
reader.linkify.set({ fuzzyLink: false });

/** What is shown of a text in Markdown, and what is more than text. */
function rendered(markdown: string): { readonly shown: string; readonly alive: readonly string[] } {
  const blocks = reader.parse(markdown, {});
  const inline = blocks.flatMap(({ children }) => children ?? []);
  const www = inline.some(({ type, content }) => type === 'text' && /(^|[\s*_~(])www\.[\w-]/i.test(content));
  return {
    shown: inline.map(({ content }) => content).join(''),
    alive: [
      ...(www ? ['www'] : []),
      ...blocks
        .map(({ type }) => type)
        .filter((type) => !/^(paragraph_|inline$|table_|thead_|tbody_|tr_|th_|td_)/.test(type)),
      ...inline
        .filter(({ type, content }) => type !== 'code_inline' && /www\.|@|:\/\//i.test(content))
        .map(({ content }) => `live ${content}`),
      ...inline.map(({ type }) => type).filter((type) => !['text', 'code_inline', 'text_special'].includes(type)),
    ],
  };
}

const signs = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '`',
        '``',
        '|',
        '\\',
        '[',
        '](',
        ')',
        '!',
        '<',
        '>',
        '*',
        '_',
        '~~',
        '@me',
        '#1',
        'https://a.example',
        'www.a.example',
        ' ',
        '\n',
        '\r',
        'a',
        '&amp;',
        '<!--',
        '# ',
        '- ',
        '1. ',
        '> ',
        '```',
        ':::',
        '---',
        '===',
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('text in Markdown', () => {
  it('is text or code and nothing else, whatever it holds, in a paragraph and in a cell', () => {
    fc.assert(
      fc.property(signs, (value) => {
        expect(rendered(`x ${text(value)}`).alive).toEqual([]);
        const table = rendered(`| a | b |\n| --- | --- |\n| ${text(value, true)} | ${code(value, true)} |\n`);
        expect(table.alive).toEqual([]);
        // Two cells of the head and two of the row, however many pipes there are.
        expect(
          reader
            .parse(`| a | b |\n| --- | --- |\n| ${text(value, true)} | end |\n`, {})
            .filter(({ type }) => type === 'inline')
            .map(({ content }) => content)
            .at(-1),
        ).toBe('end');
      }),
      { numRuns: 2_000 },
    );
  });

  it('shows a name as it is', () => {
    for (const name of ['a`b', '`', 'a|b', 'a\\', '``a``', ' a ', 'x\\_y', '*'])
      expect(rendered(`x ${code(name)}`).shown).toBe(`x ${name}`);
    expect(rendered(text('Add `mesh` to *.example.com, and 1_000 of [these]')).shown).toBe(
      'Add mesh to *.example.com, and 1_000 of [these]',
    );
  });
});
