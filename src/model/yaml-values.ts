/**
 * What a YAML text says, by who reads it (`yaml-scalars.ts`). js-yaml knows the syntax; what tags, keys, merges and aliases come to is said here,
 * since the two readers agree neither with each other nor with the standard.
 */
import {
  COLLECTION_STYLE,
  type CollectionStyle,
  EVENT_ID,
  type Event,
  SCALAR_STYLE,
  YAMLException,
  getScalarValue,
  parseEvents,
} from 'js-yaml';
import { NoScalar, type YamlReader, keyOf, plainScalar, taggedScalar } from './yaml-scalars';

/** Mappings and lists merge into others no more often than this in one text: more is a bomb, no manifest. */
const MOST_MERGED = 10_000;
/** In double quotes, what JSON knows and these readers do not: `\/`, and halves of characters. */
const NO_ESCAPE = /\\(?:(\/|u[dD][89a-fA-F])|[^])/g;
const NONE = -1;
const STANDARD_TAG = /^(?:!!|!<tag:yaml\.org,2002:)([^>]*)>?$/;

type ScalarEvent = Extract<Event, { readonly type: typeof EVENT_ID.SCALAR }>;

interface Anchor {
  readonly value: unknown;
  isWhole: boolean;
}

/**
 * The documents of a text.
 *
 * @throws YAMLException
 */
export function readYaml(text: string, by: YamlReader): readonly unknown[] {
  return new Values(text, by).read();
}

/**
 * The value of a text that is one document; null if it says nothing.
 *
 * @throws YAMLException
 */
export function readYamlDocument(text: string, by: YamlReader): unknown {
  const documents = readYaml(text, by);
  if (documents.length > 1) YAMLException.throwAt(text, text.length, 'there is more than one document', '');
  return documents[0] ?? null;
}

class Values {
  private readonly events: readonly Event[];
  private next = 0;
  private merged = 0;
  private isKey = false;
  private isInFlow = false;
  private readonly anchors = new Map<string, Anchor>();

  public constructor(
    private readonly text: string,
    private readonly by: YamlReader,
  ) {
    this.events = parseEvents(text, {});
  }

  public read(): readonly unknown[] {
    const documents: unknown[] = [];
    while (this.next < this.events.length) {
      this.anchors.clear();
      this.next += 1;
      documents.push(this.isAtEnd() ? null : this.node());
      this.next += 1;
    }
    return documents;
  }

  private isAtEnd(): boolean {
    return this.events[this.next]?.type === EVENT_ID.POP;
  }

  private node(): unknown {
    const event = this.take();
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        const value = this.scalar(event);
        this.anchor(event, value).isWhole = true;
        return value;
      }
      case EVENT_ID.ALIAS:
        return this.alias(event);
      case EVENT_ID.SEQUENCE: {
        const list: unknown[] = [];
        const anchor = this.anchor(event, list);
        this.within(event.style, () => {
          while (!this.isAtEnd()) list.push(this.node());
        });
        this.next += 1;
        anchor.isWhole = true;
        return list;
      }
      case EVENT_ID.MAPPING: {
        const mapping: Record<string, unknown> = {};
        const anchor = this.anchor(event, mapping);
        this.within(event.style, () => this.fill(mapping));
        this.next += 1;
        anchor.isWhole = true;
        return mapping;
      }
      default:
        return this.refuse(event, 'it ends where a value is due');
    }
  }

  private within(style: CollectionStyle, read: () => void): void {
    const { isInFlow } = this;
    this.isInFlow = isInFlow || style === COLLECTION_STYLE.FLOW;
    read();
    this.isInFlow = isInFlow;
  }

  private take(): Event {
    const event = this.events[this.next];
    if (event === undefined) return YAMLException.throwAt(this.text, this.text.length, 'it ends early', '');
    this.next += 1;
    return event;
  }

  private anchor(event: Exclude<Event, { type: 1 | 6 }>, value: unknown): Anchor {
    const anchor: Anchor = { value, isWhole: false };
    if (event.anchorStart !== NONE) this.anchors.set(this.text.slice(event.anchorStart, event.anchorEnd), anchor);
    return anchor;
  }

  private alias(event: Extract<Event, { readonly type: typeof EVENT_ID.ALIAS }>): unknown {
    const name = this.text.slice(event.anchorStart, event.anchorEnd);
    const anchor = this.anchors.get(name);
    if (anchor === undefined) return this.refuse(event, `unidentified alias "${name}"`);
    if (!anchor.isWhole) return this.refuse(event, `alias "${name}" is within what it stands for`);
    return anchor.value;
  }

  private scalar(event: ScalarEvent): unknown {
    const source = getScalarValue(this.text, event);
    const isPlain = event.style === SCALAR_STYLE.PLAIN;
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED) this.checkEscapes(event);
    try {
      const value =
        event.tagStart === NONE
          ? isPlain
            ? plainScalar(source, this.by, this.isInFlow && !this.isKey)
            : source
          : taggedScalar(source, tagOf(this.text.slice(event.tagStart, event.tagEnd)), this.by, {
              isPlain,
              isInFlow: this.isInFlow,
            });
      if (typeof value !== 'number' || Number.isFinite(value) || this.isKey) return value;
    } catch (error) {
      return this.refuseFor(event, error);
    }
    return this.refuse(event, `JSON, which objects are sent in, has no ${source}`);
  }

  private checkEscapes(event: ScalarEvent): void {
    for (const [, strange] of this.text.slice(event.valueStart, event.valueEnd).matchAll(NO_ESCAPE))
      if (strange !== undefined) this.refuse(event, `YAML has no escape \\${strange.slice(0, 1)} for this`);
  }

  private fill(mapping: Record<string, unknown>): void {
    const own = new Set<string>();
    let merges = 0;
    while (!this.isAtEnd()) {
      const at = this.events[this.next];
      if (at === undefined) return;
      if (this.isMerge(at)) {
        this.next += 1;
        merges += 1;
        if (merges > 1 && this.by === 'kustomize') this.refuse(at, 'it merges twice, which kustomize refuses');
        this.merge(mapping, own, at);
        continue;
      }
      const key = this.key(at);
      if (own.has(key)) this.refuse(at, 'duplicated mapping key');
      own.add(key);
      set(mapping, key, this.node());
    }
  }

  private key(event: Event): string {
    this.isKey = true;
    const value = this.node();
    this.isKey = false;
    const source =
      event.type === EVENT_ID.SCALAR ? getScalarValue(this.text, event) : typeof value === 'string' ? value : '';
    try {
      return keyOf(value, source, this.by);
    } catch (error) {
      return this.refuseFor(event, error);
    }
  }

  /** A plain `<<`, or one with the tag of merges, as yq writes it (`!!merge <<`). */
  private isMerge(event: Event): boolean {
    if (event.type !== EVENT_ID.SCALAR || getScalarValue(this.text, event) !== '<<') return false;
    const tag = event.tagStart === NONE ? undefined : tagOf(this.text.slice(event.tagStart, event.tagEnd));
    const isPlain = tag === 'merge' || (event.style === SCALAR_STYLE.PLAIN && (tag === undefined || tag === '!'));
    if (!isPlain && this.by === 'kustomize') this.refuse(event, 'kustomize loses a key of this name');
    return isPlain;
  }

  /** kubectl: what comes later holds, whatever it is. kustomize: what the mapping itself says holds. */
  private merge(mapping: Record<string, unknown>, own: ReadonlySet<string>, at: Event): void {
    const value = this.node();
    const sources: unknown[] = Array.isArray(value) ? [...(value as unknown[])].reverse() : [value];
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source))
        return this.refuse(at, 'what is to be merged is no mapping');
      for (const [key, item] of Object.entries(source)) {
        if ((this.merged += 1) > MOST_MERGED) this.refuse(at, `it merges more than ${MOST_MERGED} fields`);
        if (this.by === 'kubectl' || !own.has(key)) set(mapping, key, item);
      }
    }
  }

  private refuseFor(event: Event, error: unknown): never {
    if (error instanceof NoScalar) return this.refuse(event, error.message);
    throw error;
  }

  private refuse(event: Event, reason: string): never {
    return YAMLException.throwAt(this.text, placeOf(event), reason, '');
  }
}

/** `!!int` and its long form as `int`, `!` as it is. */
function tagOf(written: string): string {
  if (written === '!') return written;
  return STANDARD_TAG.exec(written)?.[1] ?? '';
}

function placeOf(event: Event): number {
  const starts = [
    'tagStart' in event ? event.tagStart : NONE,
    'anchorStart' in event ? event.anchorStart : NONE,
    'valueStart' in event ? event.valueStart : NONE,
    'start' in event ? event.start : NONE,
  ];
  return starts.find((start) => start !== NONE) ?? 0;
}

function set(mapping: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
  else mapping[key] = value;
}
