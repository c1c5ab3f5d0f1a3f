package shizi.client;

import java.util.List;

/** A corner, in pixels of the upright page from its top left. */
public final class Point {
    private final double x;
    private final double y;

    private Point(double x, double y) {
        this.x = x;
        this.y = y;
    }

    /** A corner of your own. */
    public static Point at(double x, double y) {
        return new Point(x, y);
    }

    static Point of(Object pair) {
        List<Double> both = JsonObject.list(pair, JsonObject::number);
        if (both.size() != 2) {
            throw new ShiziException.UnexpectedAnswer("A corner has " + both.size() + " numbers; expected 2.", null);
        }
        return new Point(both.get(0), both.get(1));
    }

    public double x() {
        return x;
    }

    public double y() {
        return y;
    }

    String toJson() {
        return "[" + x + "," + y + "]";
    }

    @Override
    public String toString() {
        return "(" + x + ", " + y + ")";
    }
}
