import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './parts.js';
import { t } from './words.js';

/** Questions before something is done. One at a time; Escape and a click beside it mean no. */

interface Question {
  readonly title: string;
  readonly body: ComponentChildren;
  /** What the button says. */
  readonly action: string;
  readonly isDangerous?: boolean;
  /** It stays open when this gives false. */
  readonly go: () => Promise<unknown>;
}

const question = signal<Question | undefined>(undefined);

export function askFirst(next: Question): void {
  question.value = next;
}

export function isAsking(): boolean {
  return question.peek() !== undefined;
}

export function Dialogs() {
  const current = question.value;
  return current ? (
    <Dialog key={current.title} {...current} close={() => (question.value = undefined)} />
  ) : null;
}

function Dialog({ title, body, action, isDangerous, go, close }: Question & { close: () => void }) {
  const element = useRef<HTMLDialogElement>(null);
  const before = useRef(document.activeElement);
  useEffect(() => {
    element.current?.showModal();
    const focused = before.current;
    return () => {
      if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
    };
  }, []);
  const confirm = async () => {
    if ((await go()) !== false) close();
  };
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby="dialog-title"
      onClose={close}
      onCancel={close}
      onClick={(event) => event.target === element.current && close()}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        <div class="dialog-body">{body}</div>
        <footer>
          <Button onClick={close}>{t('cancel.no')}</Button>
          <Button kind={isDangerous ? 'danger' : 'main'} onClick={confirm} data-confirm>
            {action}
          </Button>
        </footer>
      </form>
    </dialog>
  );
}
