// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** One line of text, in reading order; {@code model} read it. */
public final class Line {
    private final String text;
    private final double confidence;
    private final List<Point> polygon;
    private final String model;
    private final boolean vertical;
    private final List<Word> words;

    Line(JsonObject json) {
        text = json.required("text", JsonObject::text);
        confidence = json.required("confidence", JsonObject::number);
        polygon = json.listOf("polygon", Point::of, true);
        model = json.required("model", JsonObject::text);
        vertical = json.required("vertical", JsonObject::truth);
        words = json.listOf("words", JsonObject.of(Word::new), false);
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

    public String model() {
        return model;
    }

    public boolean vertical() {
        return vertical;
    }

    public List<Word> words() {
        return words;
    }

    @Override
    public String toString() {
        return "Line[" + "text=" + text + ", "
            + "confidence=" + confidence + ", "
            + "polygon=" + polygon + ", "
            + "model=" + model + ", "
            + "vertical=" + vertical + ", "
            + "words=" + words + "]";
    }
}
