package dev.qcow2.conformance.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.qcow2.conformance.language.BitmapStep;
import dev.qcow2.conformance.language.BitmapStep.Action;
import dev.qcow2.spec.disk.Bitmaps.Dirty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** What bitmaps have to say. */
class DirtyModelTest {

    private final DirtyModel model = new DirtyModel(10_000);

    @BeforeEach
    void addBitmaps() {
        model.apply(new BitmapStep.Add("fine", 9, true));
        model.apply(new BitmapStep.Add("coarse", 12, true));
        model.apply(new BitmapStep.Add("asleep", 9, false));
    }

    @Test
    @DisplayName("QC-BM-19 QC-BM-24 a change makes dirty what it touches, rounded outwards, where a bitmap is enabled")
    void changes() {
        model.changed(511, 2);
        model.changed(9_999, 1);
        model.changed(5_000, 0);
        assertThat(model.dirty("fine")).containsExactly(new Dirty(0, 1024), new Dirty(9_728, 272));
        assertThat(model.dirty("coarse")).containsExactly(new Dirty(0, 4096), new Dirty(8_192, 1_808));
        assertThat(model.dirty("asleep")).isEmpty();
    }

    @Test
    @DisplayName("QC-BM-22 a resize forgets what is beyond the end, and a new part is clean")
    void resizes() {
        model.changed(0, 10_000);
        model.resize(600);
        model.resize(20_000);
        assertThat(model.dirty("fine")).containsExactly(new Dirty(0, 1024));
        model.resize(0);
        model.resize(20_000);
        assertThat(model.dirty("fine")).isEmpty();
    }

    @Test
    @DisplayName("QC-BM-23 a loaded snapshot makes everything dirty where a bitmap is enabled")
    void loads() {
        model.loaded(5_000);
        assertThat(model.dirty("fine")).containsExactly(new Dirty(0, 5_000));
        assertThat(model.dirty("asleep")).isEmpty();
    }

    @Test
    @DisplayName("QC-BM-28 a merge rounds outwards; clear, enable, disable and remove do what they say")
    void merges() {
        model.changed(5_000, 1);
        model.apply(new BitmapStep.Simple(Action.CLEAR, "coarse"));
        model.apply(new BitmapStep.Simple(Action.DISABLE, "coarse"));
        model.apply(new BitmapStep.Simple(Action.ENABLE, "asleep"));
        model.changed(0, 1);
        assertThat(model.dirty("coarse")).isEmpty();
        model.apply(new BitmapStep.Merge("coarse", "fine"));
        assertThat(model.dirty("coarse")).containsExactly(new Dirty(0, 8_192));
        assertThat(model.dirty("asleep")).containsExactly(new Dirty(0, 512));
        model.apply(new BitmapStep.Simple(Action.REMOVE, "fine"));
        assertThat(model.names()).containsExactly("asleep", "coarse");
    }
}
