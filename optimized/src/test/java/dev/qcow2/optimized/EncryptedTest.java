package dev.qcow2.optimized;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.qcow2.spec.clause.CryptClause;
import dev.qcow2.spec.clause.DataFileClause;
import dev.qcow2.spec.disk.CreateOptions;
import dev.qcow2.spec.disk.FormatFeatures.Cipher;
import dev.qcow2.spec.disk.ImageException;
import dev.qcow2.spec.disk.LockedImageException;
import dev.qcow2.spec.disk.OpenOptions;
import dev.qcow2.spec.disk.OpenOptions.Access;
import dev.qcow2.spec.disk.Passphrase;
import dev.qcow2.spec.disk.RequestRefusedException;
import dev.qcow2.spec.disk.VirtualDisk;
import dev.qcow2.spec.host.HostFile;
import dev.qcow2.spec.host.MemoryHostDirectory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Encrypted images: what unlocks them, what of them can be seen, and many requests at once. */
@Timeout(60)
class EncryptedTest {

    private static final int SIZE = 400_000;

    private final MemoryHostDirectory directory = new MemoryHostDirectory();
    private final OptimizedDriver driver = EncryptedImages.driver();

    private void create(Cipher cipher) throws Exception {
        driver.create(directory, "disk", EncryptedImages.options(SIZE, cipher));
    }

    private VirtualDisk open(OpenOptions options) throws Exception {
        return driver.open(directory, "disk", options);
    }

    private byte[] fileBytes() throws Exception {
        try (HostFile file = directory.open("disk", Access.READ_ONLY)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) file.size());
            file.readZeroPadded(0, bytes);
            return bytes.array();
        }
    }

    private void assertLocked(OpenOptions options) {
        assertThatThrownBy(() -> open(options).close())
                .isInstanceOf(LockedImageException.class)
                .satisfies(e ->
                        assertThat(((ImageException) e).clause()).isIn(CryptClause.QC_CRY_07, CryptClause.QC_CRY_08));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("QC-CRY-01, QC-CRY-03: no plain byte is in the file, and long unaligned requests come back")
    void noPlaintext(Cipher cipher) throws Exception {
        create(cipher);
        byte[] model = new byte[SIZE];
        byte[] pattern = new byte[300_001];
        for (int i = 0; i < pattern.length; i++) {
            pattern[i] = (byte) ('a' + i % 7);
        }
        ByteBuffer direct =
                ByteBuffer.allocateDirect(pattern.length).put(pattern).flip();
        try (VirtualDisk disk = open(EncryptedImages.UNLOCKED)) {
            disk.write(77, direct.asReadOnlyBuffer());
            disk.write(5000, ByteBuffer.wrap(pattern, 0, 300));
            System.arraycopy(pattern, 0, model, 77, pattern.length);
            System.arraycopy(pattern, 0, model, 5000, 300);
            disk.flush();
            ByteBuffer read = ByteBuffer.allocateDirect(SIZE - 1001);
            disk.read(1001, read);
            assertThat(read.flip()).isEqualTo(ByteBuffer.wrap(model, 1001, SIZE - 1001));
        }
        String file = new String(fileBytes(), StandardCharsets.ISO_8859_1);
        assertThat(file).doesNotContain("abcdefga");
        try (VirtualDisk disk = open(EncryptedImages.UNLOCKED.withAccess(Access.READ_ONLY))) {
            assertThat(Images.readAll(disk)).isEqualTo(model);
        }
        Images.assertClean(directory, "disk");
    }

    @Test
    @DisplayName("QC-CRY-01: zeros around a small write are encrypted zeros, also where the host's bytes are zero")
    void zerosAround() throws Exception {
        create(Cipher.LUKS_AES_256_XTS_PLAIN64);
        byte[] model = new byte[SIZE];
        try (VirtualDisk disk = open(EncryptedImages.UNLOCKED)) {
            for (int at : new int[] {70_000, 140_100, 270_000}) {
                disk.write(at, ByteBuffer.wrap(Images.filled(600, 3)));
                Arrays.fill(model, at, at + 600, (byte) 3);
            }
            assertThat(Images.readAll(disk)).isEqualTo(model);
        }
    }

    @Test
    @DisplayName("QC-CRY-08: without the right passphrase an image stays closed")
    void locked() throws Exception {
        create(Cipher.LUKS_AES_128_XTS_PLAIN64);
        assertLocked(Images.WRITE);
        assertLocked(OpenOptions.readOnly());
        assertLocked(Images.WRITE.withPassphrase(Passphrase.of("open sesamf")));
        assertLocked(Images.WRITE.withPassphrase(Passphrase.of("")));
        create(Cipher.LEGACY_AES_128_CBC);
        assertLocked(Images.WRITE);
    }

    @Test
    @DisplayName("QC-CRY-14: the legacy method tells nothing of a wrong passphrase, so the opener is warned")
    void legacy() throws Exception {
        create(Cipher.LEGACY_AES_128_CBC);
        try (VirtualDisk disk = open(EncryptedImages.UNLOCKED)) {
            assertThat(disk.notices()).singleElement().asString().contains("unsafe");
            disk.write(0, ByteBuffer.wrap(Images.filled(512, 9)));
        }
        try (VirtualDisk disk = open(Images.WRITE.withPassphrase(Passphrase.of("wrong")))) {
            assertThat(Arrays.copyOf(Images.readAll(disk), 512)).isNotEqualTo(Images.filled(512, 9));
        }
        // QC-CRY-02: bytes behind the sixteenth don't count.
        Passphrase longer = Passphrase.of("0123456789abcdef-and-more");
        CreateOptions options =
                CreateOptions.ofSize(SIZE).withFeatures(EncryptedImages.features(Cipher.LEGACY_AES_128_CBC, longer));
        driver.create(directory, "disk", options);
        try (VirtualDisk disk = open(Images.WRITE.withPassphrase(longer))) {
            disk.write(512, ByteBuffer.wrap(Images.filled(512, 9)));
        }
        try (VirtualDisk disk = open(Images.WRITE.withPassphrase(Passphrase.of("0123456789abcdef")))) {
            assertThat(Arrays.copyOfRange(Images.readAll(disk), 512, 1024)).isEqualTo(Images.filled(512, 9));
        }
    }

    @Test
    @DisplayName("QC-CRY-07: a passphrase may be any bytes, and none at all")
    void anyBytes() throws Exception {
        for (byte[] bytes : List.of(new byte[0], new byte[] {0, (byte) 0xff, (byte) 0xc3, 0, 10}, new byte[200])) {
            Passphrase passphrase = Passphrase.of(bytes);
            CreateOptions options = CreateOptions.ofSize(SIZE)
                    .withFeatures(EncryptedImages.features(Cipher.LUKS_AES_128_CBC_ESSIV_SHA256, passphrase));
            driver.create(directory, "disk", options);
            open(Images.WRITE.withPassphrase(passphrase)).close();
        }
    }

    @Test
    @DisplayName("QC-CRY-18: two images have nothing of their keys and salts in common")
    void randomKeys() throws Exception {
        create(Cipher.LUKS_AES_256_XTS_PLAIN64);
        byte[] first = fileBytes();
        create(Cipher.LUKS_AES_256_XTS_PLAIN64);
        byte[] second = fileBytes();
        int luks = luksStart(first);
        for (int[] part : new int[][] {{112, 132}, {132, 164}, {168, 204}, {216, 248}, {4096, 260_096}}) {
            assertThat(Arrays.copyOfRange(first, luks + part[0], luks + part[1]))
                    .isNotEqualTo(Arrays.copyOfRange(second, luks + part[0], luks + part[1]));
        }
    }

    private static int luksStart(byte[] image) {
        ByteBuffer bytes = ByteBuffer.wrap(image);
        int at = 112;
        while (bytes.getInt(at) != EncryptionArea.EXTENSION) {
            at += 8 + (bytes.getInt(at + 4) + 7 & ~7);
        }
        return (int) bytes.getLong(at + 8);
    }

    @Test
    @DisplayName("QC-DATA-09: an encrypted image gets no raw data file")
    void refused() throws Exception {
        CreateOptions raw = CreateOptions.ofSize(SIZE)
                .withFeatures(EncryptedImages.features(Cipher.LUKS_AES_128_XTS_PLAIN64, EncryptedImages.SECRET)
                        .withDataFile("data", true));
        assertThatThrownBy(() -> driver.create(directory, "disk", raw))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining(DataFileClause.QC_DATA_09.id());
    }

    @Test
    @DisplayName("QC-CRY-15: the passphrase of any slot in use opens the image")
    void secondSlot() throws Exception {
        create(Cipher.LUKS_AES_256_XTS_PLAIN64);
        try (HostFile file = directory.open("disk", Access.READ_WRITE)) {
            int luks = luksStart(fileBytes());
            ByteBuffer slot = ByteBuffer.allocate(48);
            file.readZeroPadded(luks + 208, slot);
            // The first slot moves into the fifth, and another key of nobody's takes its place.
            file.write(luks + 208 + 4 * 48, slot.flip());
            byte[] salt = new byte[32];
            new Random(3).nextBytes(salt);
            file.write(luks + 208 + 8, ByteBuffer.wrap(salt));
        }
        open(EncryptedImages.UNLOCKED).close();
        assertLocked(Images.WRITE.withPassphrase(Passphrase.of("no")));
    }

    @ParameterizedTest
    @EnumSource(names = {"LUKS_AES_256_XTS_PLAIN64", "LUKS_AES_128_CBC_ESSIV_SHA256", "LEGACY_AES_128_CBC"})
    @DisplayName("QC-CRY-01, QC-GUEST-12: small writes into one sector at the same time lose none of the others' bytes")
    void oneSectorManyWriters(Cipher cipher) throws Exception {
        create(cipher);
        int threads = 6;
        try (VirtualDisk disk = open(EncryptedImages.UNLOCKED)) {
            disk.write(0, ByteBuffer.wrap(new byte[8192]));
            ExecutorService pool = Executors.newFixedThreadPool(threads);
            try {
                List<Future<Object>> all = new ArrayList<>();
                for (int thread = 0; thread < threads; thread++) {
                    all.add(pool.submit(writer(disk, thread, threads)));
                }
                for (Future<Object> one : all) {
                    one.get(50, TimeUnit.SECONDS);
                }
            } finally {
                pool.shutdownNow();
            }
        }
        Images.assertClean(directory, "disk");
    }

    /** Every so many bytes a thread has a few of its own, so each sector and each border of sectors has some of each. */
    private static Callable<Object> writer(VirtualDisk disk, int number, int threads) {
        return () -> {
            Random random = new Random(number);
            for (int i = 0; i < 400; i++) {
                int piece = 50;
                int offset = (random.nextInt(20) * threads + number) * piece;
                byte[] bytes = Images.filled(piece, random.nextInt(256));
                disk.write(offset, ByteBuffer.wrap(bytes));
                byte[] read = new byte[piece];
                disk.read(offset, ByteBuffer.wrap(read));
                assertThat(read).isEqualTo(bytes);
            }
            return number;
        };
    }
}
