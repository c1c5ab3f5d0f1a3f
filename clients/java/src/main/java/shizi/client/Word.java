// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** A run of Latin letters and digits, or of Chinese characters. */
public final class Word {
    private final String text;
    private final double confidence;
    private final List<Point> polygon;
    private final List<Char> chars;

    Word(JsonObject json) {
        text = json.required("text", JsonObject::text);
        confidence = json.required("confidence", JsonObject::number);
        polygon = json.listOf("polygon", Point::of, true);
        chars = json.listOf("chars", JsonObject.of(Char::new), false);
    }

    public String text() {
        return text;
    }

    public double confidence() {
        return confidence;
    }

    /** Clockwise from the text's top left. */
    public List<Point> polygon() {
        return polygon;
    }

    public List<Char> chars() {
        return chars;
    }

    @Override
    public String toString() {
        return "Word[" + "text=" + text + ", "
            + "confidence=" + confidence + ", "
            + "polygon=" + polygon + ", "
            + "chars=" + chars + "]";
    }
}
