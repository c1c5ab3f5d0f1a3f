package shizi.client;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** An object of an answer, whose values are taken as the types they should have; unknown keys are passed over. */
final class JsonObject {
    private final Map<?, ?> values;

    private JsonObject(Map<?, ?> values) {
        this.values = values;
    }

    static JsonObject parse(String text) {
        Object value;
        try {
            value = Json.parse(text);
        } catch (IllegalArgumentException error) {
            String reason = "The answer is no JSON (" + error.getMessage() + "); is this the address of a shizi?";
            throw new ShiziException.UnexpectedAnswer(reason, error);
        }
        return object(value);
    }

    <T> T required(String name, Function<Object, T> read) {
        if (values.get(name) == null) {
            throw wrong("the key " + name, "nothing");
        }
        return read.apply(values.get(name));
    }

    <T> T nullable(String name, Function<Object, T> read) {
        return values.get(name) == null ? null : read.apply(values.get(name));
    }

    <T> T object(String name, Function<JsonObject, T> read) {
        return required(name, of(read));
    }

    <T> T optional(String name, Function<JsonObject, T> read) {
        return nullable(name, of(read));
    }

    <T> List<T> listOf(String name, Function<Object, T> read, boolean needed) {
        return needed || values.get(name) != null ? required(name, value -> list(value, read)) : List.of();
    }

    <T> Map<String, T> mapOf(String name, Function<Object, T> read, boolean needed) {
        return needed || values.get(name) != null ? required(name, entries(read)) : Map.of();
    }

    /** The text under this key; empty if something else stands there. */
    String textOrEmpty(String name) {
        return values.get(name) instanceof String ? (String) values.get(name) : "";
    }

    static <T> Function<Object, T> of(Function<JsonObject, T> read) {
        return value -> read.apply(object(value));
    }

    static <T> Function<Object, Map<String, T>> entries(Function<Object, T> read) {
        return value -> {
            Map<String, T> taken = new LinkedHashMap<>();
            object(value).values.forEach((name, inner) -> taken.put((String) name, read.apply(inner)));
            return Collections.unmodifiableMap(taken);
        };
    }

    static <T> List<T> list(Object value, Function<Object, T> read) {
        if (!(value instanceof List)) {
            throw wrong("a list", value);
        }
        List<T> taken = new ArrayList<>();
        ((List<?>) value).forEach(inner -> taken.add(read.apply(inner)));
        return Collections.unmodifiableList(taken);
    }

    static String text(Object value) {
        return as(String.class, value);
    }

    static Boolean truth(Object value) {
        return as(Boolean.class, value);
    }

    static Integer integer(Object value) {
        return as(Number.class, value).intValue();
    }

    static Double number(Object value) {
        return as(Number.class, value).doubleValue();
    }

    private static JsonObject object(Object value) {
        return new JsonObject(as(Map.class, value));
    }

    private static <T> T as(Class<T> kind, Object value) {
        if (!kind.isInstance(value)) {
            throw wrong("a " + kind.getSimpleName(), value);
        }
        return kind.cast(value);
    }

    private static ShiziException.UnexpectedAnswer wrong(String expected, Object found) {
        String kind = found == null ? "null" : found instanceof String && found.equals("nothing") ? "nothing"
                : found.getClass().getSimpleName();
        return new ShiziException.UnexpectedAnswer(
                "The answer is not as expected (" + kind + " in place of " + expected
                        + "); is this the address of a shizi of this version?", null);
    }
}
