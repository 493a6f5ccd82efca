// Texts of the waveforms and players, in the language of ComfyUI's page.

import { app } from "../../../scripts/app.js";

/** @type {Record<string, Record<string, string>>} */
const MESSAGES = {
  en: {
    empty: "Wire a recording, or run once",
    cannotDecode: "This browser cannot decode the recording",
    cannotPlay: "This browser cannot play it",
    mask: "The mask sets the region",
    playSelection: "Play the selection (Space)",
    snap: "Snap to",
    free: "free",
    beat: "beat",
    bar: "bar",
    start: "start",
    whole: "all of it",
    end: "end",
    region: "Region: arrows move, up and down choose what, Shift goes further, Space plays",
    play: "Play or stop (Space)",
    take: "Take",
    takes: "Takes: arrows seek, 1 to 9 choose, Space plays; all are equally loud",
    saved: "The song appears here after a run",
    previewStep: "step {step} of {steps}: {start}–{end}",
    playPreview: "Play the song as it is now; newer previews follow until you stop (Space)",
    star: "Keep this take when older ones leave the list",
    seeds: "Use seed",
    useSeeds: "Use the seeds of this take again, and keep them fixed",
    seedsPut: "Its seeds are set, and fixed",
    noSeeds: "This workflow has no place for its seeds",
    seed: "seed",
    rename: "Give this take a name",
    remove: "Take it off the list; its file stays",
    lost: "Its file is not there any more",
    notKept: "ComfyUI could not keep the list of takes",
  },
  zh: {
    empty: "请连接一段录音，或先运行一次",
    cannotDecode: "浏览器无法读取此录音",
    cannotPlay: "浏览器无法播放",
    mask: "范围由遮罩决定",
    playSelection: "试听选区（空格）",
    snap: "吸附到",
    free: "自由",
    beat: "拍",
    bar: "小节",
    start: "起点",
    whole: "整个选区",
    end: "终点",
    region: "选区：左右键移动，上下键选择起点、终点或整个选区，Shift 加大步幅，空格试听",
    play: "播放或停止（空格）",
    take: "版本",
    takes: "各版本：左右键定位，数字键 1–9 切换，空格播放；响度已对齐",
    saved: "运行后歌曲会显示在这里",
    previewStep: "第 {step} 步，共 {steps} 步：{start}–{end}",
    playPreview: "试听目前的歌曲；之后的会接着播放，直到停止（空格）",
    star: "旧版本离开列表时保留此版本",
    seeds: "用此种子",
    useSeeds: "再次使用此版本的种子，并保持固定",
    seedsPut: "已填入它的种子并固定",
    noSeeds: "此工作流没有可填入种子的位置",
    seed: "种子",
    rename: "给此版本起名",
    remove: "从列表中移除；文件仍保留",
    lost: "它的文件已经不在了",
    notKept: "ComfyUI 无法保存版本列表",
  },
  ja: {
    empty: "録音を接続するか、一度実行してください",
    cannotDecode: "このブラウザーでは録音を読み込めません",
    cannotPlay: "このブラウザーでは再生できません",
    mask: "範囲はマスクで決まります",
    playSelection: "選択範囲を試聴（スペース）",
    snap: "スナップ",
    free: "なし",
    beat: "拍",
    bar: "小節",
    start: "始点",
    whole: "範囲全体",
    end: "終点",
    region: "範囲：左右キーで移動、上下キーで対象を選択、Shift で大きく移動、スペースで試聴",
    play: "再生／停止（スペース）",
    take: "テイク",
    takes: "テイク：左右キーで移動、1～9 で切り替え、スペースで再生（音量は揃えてあります）",
    saved: "実行すると、ここに曲が表示されます",
    previewStep: "ステップ {step}／{steps}：{start}～{end}",
    playPreview: "今の段階の曲を試聴。停止するまで新しいものも続けて再生（スペース）",
    star: "古いテイクが一覧から外れるときも残す",
    seeds: "シードを使う",
    useSeeds: "このテイクのシードをもう一度使い、固定する",
    seedsPut: "シードを入れて固定しました",
    noSeeds: "このワークフローにはシードを入れる場所がありません",
    seed: "シード",
    rename: "このテイクに名前を付ける",
    remove: "一覧から外す（ファイルは残ります）",
    lost: "ファイルがもうありません",
    notKept: "ComfyUI はテイクの一覧を保存できませんでした",
  },
};

/** @returns {string} that of the page where we speak it, else English */
export function pageLanguage() {
  const [language] = String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").split("-");
  return language in MESSAGES ? language : "en";
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [values] what stands in the braces
 * @returns {string}
 */
export function translate(name, values = {}) {
  return say(MESSAGES, name, values);
}

/**
 * @param {Record<string, Record<string, string>>} messages by language
 * @param {string} name
 * @param {Record<string, string | number>} [values] what stands in the braces
 * @returns {string}
 */
export function say(messages, name, values = {}) {
  const message = messages[pageLanguage()][name] ?? messages.en[name] ?? name;
  return message.replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
}
