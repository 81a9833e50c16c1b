#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

extern "C" {
#include "tokenizer/sentencepiece.h"
#include "tokenizer/wire.h"
}

namespace sentencepiece::logging
{
/* Exported by the library, absent from its installed headers. */
void SetMinLogLevel(int level);
} // namespace sentencepiece::logging

namespace
{

constexpr int kSilent = 9; /* above the library's highest level */

/* Protocol Buffers merge a message that occurs twice, the last value of a field wins: appended to a
 * model, these bytes (trainer_spec { model_type: CHAR }) make it split into characters. */
constexpr char kSplitIntoCharacters[] = "\x12\x02\x18\x04";

/* The expectation step adds up one partial sum for each thread, so the trained pieces depend on the
 * number of threads: it is the same for everyone. */
constexpr char kTrainingThreads[] = "4";

/* Field numbers of sentencepiece.proto. */
enum { TEXT_TEXT = 1, TEXT_PIECE = 2 };
enum { PIECE_ID = 2, PIECE_BEGIN = 4, PIECE_END = 5 };

using sentencepiece::SentencePieceProcessor;
using sentencepiece::SentencePieceTrainer;
using sentencepiece::util::Status;

/* What the library says, without the place in its sources: "code: file(line) [condition] text". */
const char *explanation(const Status &status)
{
    const char *const text = status.error_message();
    const char *const bracket = std::strstr(text, "] ");
    return bracket != nullptr && bracket[2] != '\0' ? bracket + 2 : text;
}

/* Runs `body`; an exception becomes an error message that begins with `name`. */
template <typename Body> auto guarded(const char *name, struct tolk_error *error, Body body)
{
    try {
        return body();
    } catch (const std::bad_alloc &) {
        tolk_error_set(error, "%s: out of memory", name);
    } catch (const std::exception &exception) {
        tolk_error_set(error, "%s: %s", name, exception.what());
    } catch (...) {
        tolk_error_set(error, "%s: SentencePiece failed without saying why", name);
    }
    return decltype(body())(-1);
}

int copy_out(const std::string &from, char **to, struct tolk_error *error)
{
    *to = static_cast<char *>(std::malloc(from.size() + 1));
    if (*to == nullptr) {
        return tolk_error_set(error, "out of memory for %zu bytes", from.size());
    }
    std::memcpy(*to, from.c_str(), from.size() + 1);
    return 0;
}

/* One piece of an encoded sentence: sentencepiece.proto's SentencePieceText.SentencePiece. */
int append_piece(struct tolk_wire wire, struct tolk_pieces *pieces, struct tolk_error *error)
{
    int32_t id = 0;
    size_t begin = 0, end = 0;
    struct tolk_wire_field field;
    int status;
    while ((status = tolk_wire_next(&wire, &field)) == 1) {
        if (tolk_wire_is(&field, PIECE_ID, TOLK_WIRE_VARINT)) {
            id = static_cast<int32_t>(field.value);
        } else if (tolk_wire_is(&field, PIECE_BEGIN, TOLK_WIRE_VARINT)) {
            begin = static_cast<size_t>(field.value);
        } else if (tolk_wire_is(&field, PIECE_END, TOLK_WIRE_VARINT)) {
            end = static_cast<size_t>(field.value);
        }
    }
    if (status != 0) {
        return tolk_error_set(error, "SentencePiece returned a piece that cannot be read");
    }
    return tolk_pieces_append(pieces, id, begin, end, error);
}

/* The library's handy calls swallow errors; but it fills in the text last, when all went well. */
int read_pieces(const std::string &message, size_t text_size, struct tolk_pieces *pieces,
                struct tolk_error *error)
{
    size_t text_found = 0;
    struct tolk_wire wire = {reinterpret_cast<const unsigned char *>(message.data()),
                             message.size()};
    struct tolk_wire_field field;
    int status;
    pieces->count = 0;
    while ((status = tolk_wire_next(&wire, &field)) == 1) {
        if (tolk_wire_is(&field, TEXT_TEXT, TOLK_WIRE_BYTES)) {
            text_found = field.body.size;
        } else if (tolk_wire_is(&field, TEXT_PIECE, TOLK_WIRE_BYTES) &&
                   append_piece(field.body, pieces, error) != 0) {
            return -1;
        }
    }
    if (status != 0 || text_found != text_size) {
        return tolk_error_set(error, "SentencePiece could not encode a sentence of %zu bytes",
                              text_size);
    }
    return 0;
}

class Sentences : public sentencepiece::SentenceIterator
{
  public:
    Sentences(const char *const *sentences, size_t count) : sentences_(sentences), count_(count)
    {
        load();
    }
    bool done() const override
    {
        return index_ >= count_;
    }
    void Next() override
    {
        index_++;
        load();
    }
    const std::string &value() const override
    {
        return value_;
    }
    Status status() const override
    {
        return Status();
    }

  private:
    void load()
    {
        if (index_ < count_) {
            value_ = sentences_[index_];
        }
    }
    const char *const *sentences_;
    size_t count_;
    size_t index_ = 0;
    std::string value_;
};

/* The two complaints that a user meets, with the bound, and the library's own words for the rest.
 */
int training_error(const Status &status, struct tolk_error *error)
{
    const char *const text = explanation(status);
    int wanted, bound;
    if (std::sscanf(text, "Vocabulary size too high (%d). Please set it to a value <= %d", &wanted,
                    &bound) == 2) {
        return tolk_error_set(
            error, "vocabulary of %d pieces: the corpus gives no more than %d, take at most that",
            wanted, bound);
    }
    if (std::sscanf(text, "Vocabulary size is smaller than required_chars. %d vs %d", &wanted,
                    &bound) == 2) {
        return tolk_error_set(error,
                              "vocabulary of %d pieces: the characters of the corpus alone need "
                              "%d; take more, or a lower character coverage",
                              wanted, bound);
    }
    return tolk_error_set(error, "training the tokenizer: %s", text);
}

} // namespace

struct tolk_sentencepiece {
    SentencePieceProcessor processor;
};

struct tolk_sentencepiece *tolk_sentencepiece_load(const unsigned char *model, size_t size,
                                                   enum tolk_granularity granularity,
                                                   const char *name, struct tolk_error *error)
{
    std::unique_ptr<struct tolk_sentencepiece> library;
    const int result = guarded(name, error, [&]() {
        sentencepiece::logging::SetMinLogLevel(kSilent);
        library = std::make_unique<struct tolk_sentencepiece>();
        const char *bytes = reinterpret_cast<const char *>(model);
        std::string longer;
        if (granularity == TOLK_CHARACTERS) {
            longer.assign(bytes, size);
            longer.append(kSplitIntoCharacters, sizeof kSplitIntoCharacters - 1);
            bytes = longer.data();
            size = longer.size();
        }
        const Status status = library->processor.LoadFromSerializedProto({bytes, size});
        return status.ok() ? 0 : tolk_error_set(error, "%s: %s", name, explanation(status));
    });
    return result == 0 ? library.release() : nullptr;
}

void tolk_sentencepiece_free(struct tolk_sentencepiece *library)
{
    delete library;
}

int tolk_sentencepiece_encode(const struct tolk_sentencepiece *library, const char *text,
                              size_t size, struct tolk_pieces *pieces, struct tolk_error *error)
{
    return guarded("encoding a sentence", error, [&]() {
        return read_pieces(library->processor.EncodeAsSerializedProto({text, size}), size, pieces,
                           error);
    });
}

int tolk_sentencepiece_decode(const struct tolk_sentencepiece *library, const char *const *pieces,
                              size_t count, char **text, struct tolk_error *error)
{
    return guarded("decoding a sentence", error, [&]() {
        std::string decoded;
        const Status status =
            library->processor.Decode(std::vector<std::string>(pieces, pieces + count), &decoded);
        return status.ok() ? copy_out(decoded, text, error)
                           : tolk_error_set(error, "decoding a sentence: %s", explanation(status));
    });
}

int32_t tolk_sentencepiece_id(const struct tolk_sentencepiece *library, const char *piece)
{
    return library->processor.PieceToId(piece);
}

const char *tolk_sentencepiece_piece(const struct tolk_sentencepiece *library, int32_t id)
{
    return library->processor.IdToPiece(id).c_str();
}

int tolk_sentencepiece_train(const struct tolk_sentencepiece_training *training,
                             const char *const *sentences, size_t count, unsigned char **model,
                             size_t *model_size, struct tolk_error *error)
{
    return guarded("training the tokenizer", error, [&]() {
        const std::unordered_map<std::string, std::string> options = {
            {"minloglevel", std::to_string(kSilent)},
            {"model_type", training->bpe ? "bpe" : "unigram"},
            {"vocab_size", std::to_string(training->vocabulary_size)},
            {"character_coverage", std::to_string(training->character_coverage)},
            {"num_threads", kTrainingThreads},
            {"eos_id", std::to_string(TOLK_EOS)},
            {"unk_id", std::to_string(TOLK_UNK)},
            {"bos_id", "-1"},
            {"pad_id", "-1"},
        };
        Sentences iterator(sentences, count);
        std::string serialized;
        const Status status = SentencePieceTrainer::Train(options, &iterator, &serialized);
        if (!status.ok()) {
            return training_error(status, error);
        }
        char *bytes = nullptr;
        if (copy_out(serialized, &bytes, error) != 0) {
            return -1;
        }
        *model = reinterpret_cast<unsigned char *>(bytes);
        *model_size = serialized.size();
        return 0;
    });
}
