// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;
import java.util.Optional;

/** One page read. {@code rotation}: degrees clockwise the picture was turned to stand upright. */
public final class Page {
    private final int number;
    private final int width;
    private final int height;
    private final Double dpi;
    private final int rotation;
    private final String text;
    private final List<Line> lines;
    private final List<Block> blocks;
    private final List<Table> tables;
    private final List<String> warnings;
    private final String source;

    Page(JsonObject json) {
        number = json.required("number", JsonObject::integer);
        width = json.required("width", JsonObject::integer);
        height = json.required("height", JsonObject::integer);
        dpi = json.nullable("dpi", JsonObject::number);
        rotation = json.required("rotation", JsonObject::integer);
        text = json.required("text", JsonObject::text);
        lines = json.listOf("lines", JsonObject.of(Line::new), true);
        blocks = json.listOf("blocks", JsonObject.of(Block::new), true);
        tables = json.listOf("tables", JsonObject.of(Table::new), true);
        warnings = json.listOf("warnings", JsonObject::text, true);
        source = json.required("source", JsonObject::text);
    }

    public int number() {
        return number;
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    public Optional<Double> dpi() {
        return Optional.ofNullable(dpi);
    }

    public int rotation() {
        return rotation;
    }

    public String text() {
        return text;
    }

    public List<Line> lines() {
        return lines;
    }

    public List<Block> blocks() {
        return blocks;
    }

    public List<Table> tables() {
        return tables;
    }

    public List<String> warnings() {
        return warnings;
    }

    public String source() {
        return source;
    }

    @Override
    public String toString() {
        return "Page[" + "number=" + number + ", "
            + "width=" + width + ", "
            + "height=" + height + ", "
            + "dpi=" + dpi + ", "
            + "rotation=" + rotation + ", "
            + "text=" + text + ", "
            + "lines=" + lines + ", "
            + "blocks=" + blocks + ", "
            + "tables=" + tables + ", "
            + "warnings=" + warnings + ", "
            + "source=" + source + "]";
    }
}
