/**
 * A project's private channel of Supabase's Realtime, for `follow.js`: with the page's client, or one of your own.
 */

/**
 * @param {() => Promise<any>} client of supabase-js, signed in as a member
 * @returns {import("./channel.js").OpenChannel}
 */
export function channelOf(client) {
  let removed = Promise.resolve(); // a channel of the same name is not made before the last one is gone
  return (project, heard) => {
    /** @type {any} */ let made;
    /** @type {any} */ let channel;
    let over = false;
    let why = "the channel was closed";
    const begin = async () => {
      made = await client();
      await removed;
      await made.realtime.setAuth(); // before it subscribes, or it asks as nobody
      if (over) return;
      channel = made.channel(`project:${project}`, { config: { private: true, broadcast: { replication_ready: true } } });
      channel.on("broadcast", { event: "rows" }, (/** @type {any} */ { payload }) => heard(payload));
      channel.on("system", {}, (/** @type {any} */ { status, message }) => {
        if (status === "ok") heard("ready");
        else why = message;
      });
      channel.subscribe((/** @type {string} */ status, /** @type {any} */ error) => {
        const refused = error?.cause instanceof Event ? undefined : error?.cause?.reason; // the join, by the server
        if (status === "SUBSCRIBED") heard("joined");
        else if (status === "CLOSED" || refused) heard(new Error(refused ?? why));
        else heard("lost");
      });
    };
    begin().catch(heard);
    return () => {
      over = true;
      if (channel) removed = made.removeChannel(channel).catch(() => null);
    };
  };
}
