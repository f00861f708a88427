/** A wait that can be cut short. A wake before it counts too, so that nothing is missed between looking and waiting. */
export class Waker {
  #woken = false;
  #end: () => void = () => {};

  wake(): void {
    this.#woken = true;
    this.#end();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#end = () => {};
    }
    this.#woken = false;
  }
}
