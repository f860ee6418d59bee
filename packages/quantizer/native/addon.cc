// The boundary with JavaScript: registration and conversion of values, described in types in
// src/native/binding.ts.

#include <napi.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "cpu_features.h"
#include "jobs.h"

namespace {

using airllm::CodeTable;
using airllm::IntegerFormat;
using airllm::Job;
using airllm::Kernels;
using airllm::ResultJob;
using airllm::SourceDType;
using airllm::WorkerPool;

[[noreturn]] void fail(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  throw error;
}

void expect(Napi::Env env, bool condition, const char* what) {
  if (!condition) fail(env, "INVALID_DATA", std::string("Expected ") + what);
}

size_t divideUp(size_t count, size_t length) { return count / length + (count % length == 0 ? 0 : 1); }

/** Reads the arguments of a call, and collects the arrays that have to outlive it. */
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info), held_(Napi::Array::New(info.Env())) {}

  Napi::Array held() const { return held_; }

  size_t size() {
    const double value = info_[next_].IsNumber() ? info_[next_].As<Napi::Number>().DoubleValue() : -1;
    expect(info_.Env(), value >= 0 && value <= 9007199254740991.0, "a size");
    next_++;
    return static_cast<size_t>(value);
  }

  uint8_t* bytes(size_t length) { return array<Napi::Uint8Array>(napi_uint8_array, length).Data(); }
  float* floats(size_t length) { return array<Napi::Float32Array>(napi_float32_array, length).Data(); }
  size_t lengthOf(size_t index) {
    expect(info_.Env(), info_[index].IsTypedArray(), "a typed array");
    return info_[index].As<Napi::TypedArray>().ElementLength();
  }

  /** Null for undefined. */
  const float* optionalFloat() {
    if (info_[next_].IsUndefined()) {
      next_++;
      return nullptr;
    }
    return floats(1);
  }

  SourceDType dtype() {
    switch (size()) {
      case 0:
        return SourceDType::kF32;
      case 1:
        return SourceDType::kF16;
      default:
        return SourceDType::kBF16;
    }
  }

  IntegerFormat integerFormat() { return size() == 8 ? IntegerFormat::kInt8 : IntegerFormat::kInt4; }

 private:
  template <typename Array>
  Array array(napi_typedarray_type type, size_t length) {
    const Napi::Value value = info_[next_++];
    expect(info_.Env(), value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type,
           "a typed array of another type");
    const Array array = value.As<Array>();
    expect(info_.Env(), array.ElementLength() == length, "an array of the length that the others imply");
    held_.Set(held_.Length(), array);
    return array;
  }

  const Napi::CallbackInfo& info_;
  Napi::Array held_;
  size_t next_ = 0;
};

/** The promise that a job settles and the arrays it works on. */
struct Pending {
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference held;
};

class Quantizer : public Napi::ObjectWrap<Quantizer> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Quantizer",
                       {InstanceMethod<&Quantizer::encodeCodes>("encodeCodes"),
                        InstanceMethod<&Quantizer::encodeFactors>("encodeFactors"),
                        InstanceMethod<&Quantizer::decodeCodes>("decodeCodes"),
                        InstanceMethod<&Quantizer::encodeIntegers>("encodeIntegers"),
                        InstanceMethod<&Quantizer::decodeIntegers>("decodeIntegers"),
                        InstanceMethod<&Quantizer::surveyLossless>("surveyLossless"),
                        InstanceMethod<&Quantizer::encodeLossless>("encodeLossless"),
                        InstanceMethod<&Quantizer::decodeLossless>("decodeLossless")});
  }

  /** new Quantizer(instructionSet: string, threads: number, nibbleMap: Float32Array, byteMap: Float32Array,
   * background: boolean)
   */
  explicit Quantizer(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Quantizer>(info) {
    const Napi::Env env = info.Env();
    const std::string name = info[0].ToString().Utf8Value();
    kernels_ = airllm::kernelsFor(name);
    if (kernels_ == nullptr) {
      fail(env, "INVALID_OPTION", "Expected an instruction set of this machine but received " + name);
    }
    const double threads = info[1].ToNumber().DoubleValue();
    if (!(threads >= 1 && threads <= 1024))
      fail(env, "INVALID_OPTION", "Expected between 1 and 1024 threads");
    try {
      nibbleTable_ = tableOf(env, info[2]);
      byteTable_ = tableOf(env, info[3]);
      // Created before the cleanup hook, which therefore runs first: threads end before their way to report
      // does.
      completions_ = Completions::New(env, "airllm quantizer", 0, 1, this);
      completions_.Unref(env);
      const auto completed = [this](std::unique_ptr<Job> job) {
        // Refused only when the environment is closing; then nobody waits for the promise.
        if (completions_.NonBlockingCall(job.get()) == napi_ok) job.release();
      };
      const bool background = info[4].ToBoolean();
      pool_ = std::make_unique<WorkerPool>(static_cast<size_t>(threads), completed, background);
    } catch (const std::invalid_argument& error) {
      fail(env, "INVALID_DATA", error.what());
    } catch (const std::system_error& error) {
      completions_.Release();
      fail(env, "INVALID_OPTION", std::string("Expected to start threads but ") + error.what());
    }
    napi_add_env_cleanup_hook(env, stopAtExit, this);
    info.This().As<Napi::Object>().Set("instructionSet", Napi::String::New(env, kernels_->name));
  }

  ~Quantizer() override {
    if (exiting_) return;
    napi_remove_env_cleanup_hook(Env(), stopAtExit, this);
    pool_.reset();
    completions_.Release();
  }

 private:
  static std::unique_ptr<CodeTable> tableOf(Napi::Env env, Napi::Value value) {
    expect(env, value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array,
           "a map as Float32Array");
    const auto map = value.As<Napi::Float32Array>();
    return std::make_unique<CodeTable>(map.Data(), map.ElementLength());
  }

  /** Runs the slices of `work`. */
  struct PromisedJob : Job {
    PromisedJob(std::unique_ptr<ResultJob> inner, Pending promised)
        : work(std::move(inner)), pending(std::move(promised)) {
      slices = work->slices;
      run = [job = work.get()](size_t slice) { job->run(slice); };
    }
    std::unique_ptr<ResultJob> work;
    Pending pending;
  };

  static void settle(Napi::Env env, Napi::Function, Quantizer* self, Job* completed) {
    std::unique_ptr<PromisedJob> job(static_cast<PromisedJob*>(completed));
    if (env == nullptr) {
      // During teardown the queue is drained without an environment, which has freed the reference itself.
      job->pending.held.SuppressDestruct();
      return;
    }
    const Napi::HandleScope scope(env);
    const std::vector<double> numbers = job->work->result();
    Napi::Float64Array result = Napi::Float64Array::New(env, numbers.size());
    std::copy(numbers.begin(), numbers.end(), result.Data());
    job->pending.deferred.Resolve(result);
    self->ended(env);
  }

  using Completions = Napi::TypedThreadSafeFunction<Quantizer, Job, settle>;

  static void stopAtExit(void* data) {
    auto* self = static_cast<Quantizer*>(data);
    self->exiting_ = true;
    // With what has not finished: its references may be freed here, and no more when the environment is gone.
    self->pool_.reset();
  }

  /** While promises are pending the process and this object stay alive. */
  void began(Napi::Env env) {
    if (pending_++ > 0) return;
    completions_.Ref(env);
    Ref();
  }

  void ended(Napi::Env env) {
    if (--pending_ > 0) return;
    completions_.Unref(env);
    Unref();
  }

  Napi::Value start(Napi::Env env, const Arguments& arguments, std::unique_ptr<ResultJob> work) {
    Pending pending{Napi::Promise::Deferred::New(env), Napi::Persistent(arguments.held().As<Napi::Object>())};
    const Napi::Promise promise = pending.deferred.Promise();
    began(env);
    pool_->submit(std::make_unique<PromisedJob>(std::move(work), std::move(pending)));
    return promise;
  }

  /** encodeCodes(bits: 4 | 8, dtype, blockLength, elements, source, codes, absmax) */
  Napi::Value encodeCodes(const Napi::CallbackInfo& info) {
    Arguments from(info);
    const CodeTable* table = from.size() == 4 ? nibbleTable_.get() : byteTable_.get();
    airllm::EncodeCodes job{};
    job.table = table;
    job.dtype = from.dtype();
    job.blockLength = from.size();
    job.elements = from.size();
    const bool nibbles = table->length() == 16;
    expect(info.Env(), job.blockLength >= 2 && job.blockLength % 2 == 0, "an even block length");
    job.source = from.bytes(job.elements * airllm::sizeOf(job.dtype));
    job.codes = from.bytes(nibbles ? divideUp(job.elements, 2) : job.elements);
    job.absmax = from.floats(divideUp(job.elements, job.blockLength));
    return start(info.Env(), from, airllm::encodeCodesJob(*kernels_, job));
  }

  /** encodeFactors(count, absmax, codes, nested) */
  Napi::Value encodeFactors(const Napi::CallbackInfo& info) {
    Arguments from(info);
    const size_t count = from.size();
    const float* absmax = from.floats(count);
    uint8_t* codes = from.bytes(count);
    float* nested = from.floats(divideUp(count, airllm::kNestedBlockLength));
    return start(info.Env(), from,
                 airllm::encodeFactorsJob(*kernels_, *byteTable_, absmax, count, codes, nested));
  }

  /** decodeCodes(blockLength, elements, codes, map, absmax, offset: Float32Array | undefined, to) */
  Napi::Value decodeCodes(const Napi::CallbackInfo& info) {
    Arguments from(info);
    airllm::DecodeCodes job{};
    job.blockLength = from.size();
    job.elements = from.size();
    expect(info.Env(), job.blockLength > 0, "a block length");
    job.mapLength = from.lengthOf(3) == 16 ? 16 : 256;
    job.codes = from.bytes(job.mapLength == 16 ? divideUp(job.elements, 2) : job.elements);
    job.map = from.floats(job.mapLength);
    job.absmax = from.floats(divideUp(job.elements, job.blockLength));
    job.offset = from.optionalFloat();
    job.to = from.floats(job.elements);
    return start(info.Env(), from, airllm::decodeCodesJob(*kernels_, job));
  }

  /** encodeIntegers(bits: 8 | 4, dtype, rows, cols, source, codes, scales) */
  Napi::Value encodeIntegers(const Napi::CallbackInfo& info) {
    Arguments from(info);
    airllm::EncodeIntegers job{};
    job.format = from.integerFormat();
    job.dtype = from.dtype();
    const size_t rows = from.size();
    job.cols = from.size();
    job.source = from.bytes(rows * job.cols * airllm::sizeOf(job.dtype));
    job.codes = from.bytes(codeBytes(info.Env(), job.format, rows, job.cols));
    job.scales = from.floats(rows * divideUp(job.cols, airllm::kGroupCols));
    return start(info.Env(), from, airllm::encodeIntegersJob(*kernels_, job, rows));
  }

  /** decodeIntegers(bits: 8 | 4, rows, cols, codes, scales, to) */
  Napi::Value decodeIntegers(const Napi::CallbackInfo& info) {
    Arguments from(info);
    airllm::DecodeIntegers job{};
    job.format = from.integerFormat();
    const size_t rows = from.size();
    job.cols = from.size();
    job.codes = from.bytes(codeBytes(info.Env(), job.format, rows, job.cols));
    job.scales = from.floats(rows * divideUp(job.cols, airllm::kGroupCols));
    job.to = from.floats(rows * job.cols);
    return start(info.Env(), from, airllm::decodeIntegersJob(*kernels_, job, rows));
  }

  static size_t codeBytes(Napi::Env env, IntegerFormat format, size_t rows, size_t cols) {
    if (format == IntegerFormat::kInt8) return rows * cols;
    expect(env, cols % 2 == 0, "an even number of columns");
    return rows * (cols / 2);
  }

  /** surveyLossless(rows, cols, source, bases) */
  Napi::Value surveyLossless(const Napi::CallbackInfo& info) {
    Arguments from(info);
    const size_t rows = from.size(), cols = from.size();
    const uint8_t* source = from.bytes(2 * rows * cols);
    uint8_t* bases = from.bytes(rows);
    return start(info.Env(), from, airllm::surveyLosslessJob(source, rows, cols, bases));
  }

  static airllm::LosslessRows losslessArguments(Napi::Env env, Arguments& from, size_t rows, size_t cols,
                                                size_t escapeBytes) {
    expect(env, escapeBytes >= 1, "a byte of escapes for each row");
    airllm::LosslessRows job{};
    job.cols = cols;
    job.escapeBytes = escapeBytes;
    job.bf16 = from.bytes(2 * rows * cols);
    job.bytes = from.bytes(rows * cols);
    job.codes = from.bytes(rows * airllm::losslessCodeBytes(cols));
    job.escapes = from.bytes(rows * escapeBytes);
    return job;
  }

  /** encodeLossless(rows, cols, escapeBytes, source, bytes, codes, escapes, bases) */
  Napi::Value encodeLossless(const Napi::CallbackInfo& info) {
    Arguments from(info);
    const size_t rows = from.size(), cols = from.size(), escapeBytes = from.size();
    const airllm::LosslessRows job = losslessArguments(info.Env(), from, rows, cols, escapeBytes);
    const uint8_t* bases = from.bytes(rows);
    return start(info.Env(), from, airllm::encodeLosslessJob(*kernels_, job, rows, bases));
  }

  /** decodeLossless(rows, cols, escapeBytes, to, bytes, codes, escapes) */
  Napi::Value decodeLossless(const Napi::CallbackInfo& info) {
    Arguments from(info);
    const size_t rows = from.size(), cols = from.size(), escapeBytes = from.size();
    const airllm::LosslessRows job = losslessArguments(info.Env(), from, rows, cols, escapeBytes);
    return start(info.Env(), from, airllm::decodeLosslessJob(*kernels_, job, rows));
  }

  const Kernels* kernels_ = nullptr;
  std::unique_ptr<CodeTable> nibbleTable_;
  std::unique_ptr<CodeTable> byteTable_;
  Completions completions_;
  std::unique_ptr<WorkerPool> pool_;
  bool exiting_ = false;
  size_t pending_ = 0;
};

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Quantizer", Quantizer::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(airllm_quantizer, initialize)
