// Store: what outlives a reload (files, results, the state of each), in this browser's IndexedDB and nowhere else.
// Where that is closed to the page, or keeping is switched off, everything lives as long as the page does.

const NAME = "shizi";
const ROOMS = ["items", "files", "results"];
const KEEP = "shizi.keep";

let database = null;
const memory = Object.fromEntries(ROOMS.map((room) => [room, new Map()]));

export function keeps() {
  try {
    return localStorage.getItem(KEEP) !== "no";
  } catch {
    return false;
  }
}

export async function openStore() {
  if (!keeps()) return;
  database = await new Promise((resolve) => {
    let asked;
    try {
      asked = indexedDB.open(NAME, 1);
    } catch {
      return resolve(null);
    }
    asked.onupgradeneeded = () => ROOMS.forEach((room) => asked.result.createObjectStore(room));
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { // another tab forgets everything: this one lives on in memory
        asked.result.close();
        database = null;
      };
      resolve(asked.result);
    };
    asked.onerror = asked.onblocked = () => resolve(null);
  });
}

// Switch keeping on or off; off forgets what was kept.
export async function setKeeping(on, everything) {
  try {
    localStorage.setItem(KEEP, on ? "yes" : "no");
  } catch {
    return;
  }
  if (on) {
    await openStore();
    for (const [room, key, value] of everything) await put(room, key, value);
  } else {
    for (const room of ROOMS) for (const key of await keys(room)) memory[room].set(key, await get(room, key));
    database?.close();
    database = null;
    indexedDB.deleteDatabase(NAME);
  }
}

function within(room, mode, act) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(room, mode);
    const asked = act(transaction.objectStore(room));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

export async function put(room, key, value) {
  if (database) {
    try {
      await within(room, "readwrite", (store) => store.put(value, key));
      memory[room].delete(key);
      return;
    } catch {
      // no room on the disk, or none for us: this one lives as long as the page
    }
  }
  memory[room].set(key, value);
}

// A database that another tab has just deleted is as good as an empty one.
async function trying(room, mode, act, otherwise) {
  try {
    return database ? await within(room, mode, act) : otherwise;
  } catch {
    return otherwise;
  }
}

export async function get(room, key) {
  return memory[room].has(key) ? memory[room].get(key) : trying(room, "readonly", (store) => store.get(key));
}

export async function keys(room) {
  const kept = await trying(room, "readonly", (store) => store.getAllKeys(), []);
  return [...new Set([...kept, ...memory[room].keys()])];
}

export async function all(room) {
  return [...(await trying(room, "readonly", (store) => store.getAll(), [])), ...memory[room].values()];
}

export async function drop(key) {
  for (const room of ROOMS) {
    memory[room].delete(key);
    await trying(room, "readwrite", (store) => store.delete(key));
  }
}
