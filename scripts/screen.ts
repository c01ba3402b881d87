const CONTROL = /\x1b\[([0-9;?]*)([A-Za-z])|\x1b[^[]|[\r\n\b]|[^\x1b\r\n\b]+/g;

/**
 * The final state of a terminal after a program's output: progress bars as last drawn, without colours. Ends with a
 * line feed unless it is empty.
 */
export function settled(output: string): string {
  const screen = new Screen();
  for (const [token, parameter = '', letter] of output.matchAll(CONTROL)) {
    if (letter !== undefined) screen.control(letter, parameter);
    else if (!token.startsWith('\x1b')) screen.write(token);
  }
  return screen.text();
}

class Screen {
  private readonly lines: string[] = [''];
  private row = 0;
  private column = 0;

  write(token: string): void {
    if (token === '\r') this.column = 0;
    else if (token === '\b') this.column = Math.max(0, this.column - 1);
    else if (token === '\n') this.moveTo(this.row + 1, 0);
    else this.print(token.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, ''));
  }

  control(letter: string, parameter: string): void {
    const count = Math.max(1, Number.parseInt(parameter, 10) || 1);
    if (letter === 'A') this.moveTo(Math.max(0, this.row - count), this.column);
    else if (letter === 'B') this.moveTo(this.row + count, this.column);
    else if (letter === 'K') this.lines[this.row] = parameter === '2' ? '' : this.line().slice(0, this.column);
  }

  text(): string {
    const text = this.lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd();
    return text === '' ? '' : `${text}\n`;
  }

  private print(text: string): void {
    const line = this.line().padEnd(this.column);
    this.lines[this.row] = line.slice(0, this.column) + text + line.slice(this.column + text.length);
    this.column += text.length;
  }

  private moveTo(row: number, column: number): void {
    while (this.lines.length <= row) this.lines.push('');
    this.row = row;
    this.column = column;
  }

  private line(): string {
    return this.lines[this.row] ?? '';
  }
}
