// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** Lines that belong together, by their indexes. */
public final class Block {
    private final String kind;
    private final List<Point> polygon;
    private final List<Integer> lines;

    Block(JsonObject json) {
        kind = json.required("kind", JsonObject::text);
        polygon = json.listOf("polygon", Point::of, true);
        lines = json.listOf("lines", JsonObject::integer, true);
    }

    public String kind() {
        return kind;
    }

    /** Clockwise from the text's top left. */
    public List<Point> polygon() {
        return polygon;
    }

    public List<Integer> lines() {
        return lines;
    }

    @Override
    public String toString() {
        return "Block[" + "kind=" + kind + ", "
            + "polygon=" + polygon + ", "
            + "lines=" + lines + "]";
    }
}
